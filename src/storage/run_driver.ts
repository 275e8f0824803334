import type { RunDriver } from "../runs/ports.ts";
import type { Database } from "./database.ts";

/** The hub, other than `hubId`, that drives a live run and holds its lease; null: there is none. */
export async function findRunDriver(
  db: Database,
  { runId, hubId }: { readonly runId: string; readonly hubId: string },
): Promise<RunDriver | null> {
  const rows = await db.query<{ hubId: string; url: string | null }>(
    `select h.id as "hubId", h.url from live_runs l join hubs h on h.id = l.hub_id
     where l.run_id = $1 and h.id <> $2 and h.lease_until > clock_timestamp()`,
    [runId, hubId],
  );
  return rows[0] ?? null;
}
