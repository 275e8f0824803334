import type { OperationSpec } from "@alkdev/operations";
import type { Database } from "./database.ts";
import { ensureOrganization } from "./organization_store.ts";

/** A spoke as it is kept. Times are ms since the epoch. */
export interface SpokeRow {
  readonly id: string;
  readonly orgId: string;
  readonly identityId: string;
  readonly name: string;
  readonly spokeType: string;
  readonly version: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly hostInfo: Readonly<Record<string, unknown>> | null;
  readonly maxConcurrency: number;
  readonly resumeToken: string;
  readonly operations: readonly OperationSpec[];
  readonly connectedAt: number;
}

/** Fulfils the spoke room's `SpokeStore`. */
export interface StoredSpokes {
  load(params: { readonly hubId: string }): Promise<readonly SpokeRow[]>;
  connected(params: { readonly hubId: string; readonly record: SpokeRow }): Promise<void>;
  disconnected(params: { readonly spokeId: string; readonly at: number; readonly reason: string }): Promise<void>;
  heartbeats(params: { readonly spokeIds: readonly string[]; readonly at: number }): Promise<void>;
}

/** A spoke that leaves keeps its row, as `disconnected`, without its secret. */
export function createSpokeStore(db: Database): StoredSpokes {
  return {
    load: ({ hubId }) =>
      db.query<SpokeRow>(
        `select id, org_id as "orgId", identity_id as "identityId", name, spoke_type as "spokeType", version, labels,
           host_info as "hostInfo", max_concurrency as "maxConcurrency", resume_token as "resumeToken", operations,
           (extract(epoch from connected_at) * 1000)::float8 as "connectedAt"
         from spokes where hub_id = $1 and status = 'connected' order by connected_at, id`,
        [hubId],
      ),
    connected: async ({ hubId, record }) => {
      await ensureOrganization(db, record.orgId);
      await db.query(CONNECTED, [
        record.id,
        record.orgId,
        hubId,
        record.identityId,
        record.name,
        record.spokeType,
        record.version,
        JSON.stringify(record.labels),
        record.hostInfo === null ? null : JSON.stringify(record.hostInfo),
        record.maxConcurrency,
        record.resumeToken,
        JSON.stringify(record.operations),
        record.connectedAt,
      ]);
    },
    disconnected: async ({ spokeId, at, reason }) => {
      await db.query(
        `update spokes set status = 'disconnected', disconnected_at = to_timestamp($2::float8 / 1000),
           disconnect_reason = $3, resume_token = '', updated_at = now() where id = $1`,
        [spokeId, at, reason],
      );
    },
    heartbeats: async ({ spokeIds, at }) => {
      await db.query(
        "update spokes set last_heartbeat = to_timestamp($2::float8 / 1000) where id = any ($1::text[])",
        [spokeIds, at],
      );
    },
  };
}

const CONNECTED = `
  insert into spokes (id, org_id, hub_id, identity_id, name, spoke_type, version, labels, host_info, max_concurrency,
    resume_token, operations, connected_at, status)
  values ($1, $2, $3, $4, $5, $6, $7, $8::text::json, $9::text::json, $10, $11, $12::text::json,
    to_timestamp($13::float8 / 1000), 'connected')
  on conflict (id) do update set org_id = excluded.org_id, hub_id = excluded.hub_id, identity_id = excluded.identity_id,
    name = excluded.name, spoke_type = excluded.spoke_type, version = excluded.version, labels = excluded.labels,
    host_info = excluded.host_info, max_concurrency = excluded.max_concurrency, resume_token = excluded.resume_token,
    operations = excluded.operations, connected_at = excluded.connected_at, status = 'connected',
    disconnected_at = null, disconnect_reason = null, updated_at = now()`;
