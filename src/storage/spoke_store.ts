import type { OperationSpec } from "@alkdev/operations";
import { and, asc, eq, inArray, sql } from "drizzle-orm";
import { checkedRow } from "./checked_row.ts";
import type { Database } from "./database.ts";
import { ensureOrganization } from "./organization_store.ts";
import { spokeRow, spokes } from "./schema/mod.ts";

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
  /** SHA-256 in hex. */
  readonly resumeTokenHash: string;
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

/** A spoke that leaves keeps its row, as `disconnected`, without the hash of its secret. */
export function createSpokeStore(db: Database): StoredSpokes {
  const { orm } = db;
  return {
    async load({ hubId }) {
      const rows = await orm.select().from(spokes).where(and(eq(spokes.hubId, hubId), eq(spokes.status, "connected")))
        .orderBy(asc(spokes.connectedAt), asc(spokes.id));
      return rows.map(toSpoke);
    },
    async connected({ hubId, record }) {
      await ensureOrganization(db, record.orgId);
      const { id, ...columns } = record;
      const values = { ...columns, hubId, status: "connected" } as const;
      await orm.insert(spokes).values({ id, ...values }).onConflictDoUpdate({
        target: spokes.id,
        set: { ...values, disconnectedAt: null, disconnectReason: null, updatedAt: sql`now()` },
      });
    },
    async disconnected({ spokeId, at, reason }) {
      await orm.update(spokes).set({
        status: "disconnected",
        disconnectedAt: at,
        disconnectReason: reason,
        resumeTokenHash: "",
        updatedAt: sql`now()`,
      }).where(eq(spokes.id, spokeId));
    },
    async heartbeats({ spokeIds, at }) {
      await orm.update(spokes).set({ lastHeartbeat: at }).where(inArray(spokes.id, [...spokeIds]));
    },
  };
}

function toSpoke(row: typeof spokes.$inferSelect): SpokeRow {
  const {
    id,
    orgId,
    identityId,
    name,
    spokeType,
    version,
    labels,
    hostInfo,
    maxConcurrency,
    resumeTokenHash,
    operations,
  } = checkedRow("spokes", spokeRow, row);
  // A connected spoke has a time of connection: the two are written together.
  const connectedAt = row.connectedAt ?? row.createdAt;
  return {
    id,
    orgId,
    identityId,
    name,
    spokeType,
    version,
    labels,
    hostInfo,
    maxConcurrency,
    resumeTokenHash,
    operations,
    connectedAt,
  };
}
