import type { OperationSpec } from "@alkdev/operations";
import type { Database } from "./database.ts";

/** A spoke that was connected to another hub when that was last heard of. */
export interface PeerSpokeRow {
  readonly hubId: string;
  readonly orgId: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly operations: readonly OperationSpec[];
}

/** What the database knows of the other hubs. */
export interface PeerStore {
  /** The same for all hubs of one database, and no other's: by the instant at which it was set up. */
  deployment(): Promise<string>;
  /** Hubs that hold a lease, without this one. */
  liveHubs(params: { readonly hubId: string }): Promise<readonly string[]>;
  /** The hub that a run belongs to, whether it lives or not; null: the run is over, or unknown. */
  ownerOf(runId: string): Promise<string | null>;
  /** Spokes of other hubs that have been heard of within `withinMs`. */
  spokesOfOthers(params: { readonly hubId: string; readonly withinMs: number }): Promise<readonly PeerSpokeRow[]>;
}

export function createPeerStore(db: Database): PeerStore {
  return {
    async deployment() {
      const rows = await db.query<{ deployment: string }>(
        `select md5(current_database() || ' ' || extract(epoch from created_at)) as deployment
         from organizations where id = 'default'`,
      );
      return rows[0]?.deployment ?? "default";
    },
    async liveHubs({ hubId }) {
      const rows = await db.query<{ id: string }>(
        "select id from hubs where lease_until > clock_timestamp() and id <> $1 order by id",
        [hubId],
      );
      return rows.map(({ id }) => id);
    },
    async ownerOf(runId) {
      const rows = await db.query<{ hub_id: string }>("select hub_id from live_runs where run_id = $1", [runId]);
      return rows[0]?.hub_id ?? null;
    },
    spokesOfOthers: ({ hubId, withinMs }) =>
      db.query<PeerSpokeRow>(
        `select hub_id as "hubId", org_id as "orgId", labels, operations from spokes
         where hub_id <> $1 and status = 'connected'
           and greatest(connected_at, last_heartbeat) > clock_timestamp() - $2 * interval '1 millisecond'`,
        [hubId, withinMs],
      ),
  };
}
