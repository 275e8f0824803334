import type { RunDriver } from "../runs/ports.ts";
import type { Database } from "./database.ts";
import { keyText } from "./event_batch.ts";
import { column } from "./event_body.ts";

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

/** The run that has an idempotency key; null: none has. */
export async function findStartedRun(
  db: Database,
  { orgId, workflow, key }: { readonly orgId: string; readonly workflow: string; readonly key: string },
): Promise<string | null> {
  const rows = await db.query<{ runId: string }>(
    `select run_id as "runId" from idempotency_keys where org_id = $1 and workflow = $2 and key = $3`,
    [column(orgId), column(workflow), keyText(key)],
  );
  return rows[0]?.runId ?? null;
}
