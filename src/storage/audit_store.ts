import type { AuditAction, AuditLog, AuditLogQuery, AuditLogStats } from "@alkdev/keypal";
import type { Page } from "../runs/ports.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { Database } from "./database.ts";
import { ensureAccount, ensureOrganization } from "./organization_store.ts";

/** Anything that someone did, for people to read later. `at` is ms since the epoch. */
export interface AuditEntry {
  readonly id: string;
  readonly action: string;
  /** Account that did it, or whose key it was. */
  readonly ownerId: string;
  readonly keyId: string | null;
  /** Null: of no organization in particular. */
  readonly orgId: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly at: number;
}

/** What the auth room records: who did what to a key, by which key of theirs. `at` is ms since the epoch. */
export interface RecordedAction {
  readonly action: string;
  readonly orgId: string;
  readonly actorId: string;
  readonly actorKeyId: string;
  readonly keyId: string;
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface AuditLogStore {
  append(entry: Omit<AuditEntry, "id" | "at">): Promise<void>;
  record(action: RecordedAction): Promise<void>;
  /** Newest first. */
  list(params: { readonly orgId: string; readonly limit: number; readonly cursor?: string }): Promise<Page<AuditEntry>>;
}

const APPEND = `
  insert into audit_logs (id, action, owner_id, key_id, org_id, details, created_at)
  values ($1, $2, $3, $4, $5, $6::text::json, coalesce($7::timestamptz, date_trunc('milliseconds', clock_timestamp())))`;

/** The append-only audit log. */
export function createAuditLog(db: Database): AuditLogStore {
  return {
    append: async ({ action, ownerId, keyId, orgId, details }) => {
      await ensureAccount(db, ownerId);
      await db.query(APPEND, [crypto.randomUUID(), action, ownerId, keyId, orgId, JSON.stringify(details), null]);
    },
    record: async ({ action, orgId, actorId, actorKeyId, keyId, at, data }) => {
      await ensureAccount(db, actorId);
      await ensureOrganization(db, orgId);
      const details = JSON.stringify({ ...data, actorKeyId });
      await db.query(APPEND, [crypto.randomUUID(), action, actorId, keyId, orgId, details, new Date(at).toISOString()]);
    },
    list: async ({ orgId, limit, cursor }) => {
      const position = cursor === undefined ? null : decodeCursor(cursor);
      const rows = await db.query<AuditEntry>(
        `select id, action, owner_id as "ownerId", key_id as "keyId", org_id as "orgId", details,
           (extract(epoch from created_at) * 1000)::float8 as at
         from audit_logs where org_id = $1
           and ($2::float8 is null or (created_at, id) < (to_timestamp($2::float8 / 1000), $3::text))
         order by created_at desc, id desc limit $4`,
        [orgId, position?.createdAt ?? null, position?.id ?? null, limit + 1],
      );
      const items = rows.slice(0, limit);
      const last = items.at(-1);
      const nextCursor = rows.length > limit && last !== undefined
        ? encodeCursor({ createdAt: last.at, id: last.id })
        : null;
      return { items, nextCursor };
    },
  };
}

interface KeyAudit {
  saveLog(log: AuditLog): Promise<void>;
  findLogs(query: AuditLogQuery): Promise<readonly AuditLog[]>;
  countLogs(query: AuditLogQuery): Promise<number>;
  deleteLogs(query: AuditLogQuery): Promise<number>;
  getLogStats(ownerId: string): Promise<AuditLogStats>;
}

const MATCH = `key_id is not null and ($1::text is null or key_id = $1) and ($2::text is null or owner_id = $2)
  and ($3::text is null or action = $3) and ($4::timestamptz is null or created_at >= $4)
  and ($5::timestamptz is null or created_at <= $5)`;

/** keypal's part of the audit log: the entries about keys. */
export function auditStore(db: Database): KeyAudit {
  return {
    saveLog: async ({ id, action, keyId, ownerId, timestamp, data }) => {
      await ensureAccount(db, ownerId);
      await db.query(APPEND, [id, action, ownerId, keyId, null, JSON.stringify(data ?? {}), timestamp]);
    },
    findLogs: async (query) => {
      const rows = await db.query<AuditEntry & { readonly action: AuditAction; readonly keyId: string }>(
        `select id, action, owner_id as "ownerId", key_id as "keyId", details,
           (extract(epoch from created_at) * 1000)::float8 as at
         from audit_logs where ${MATCH} order by created_at desc, id desc limit $6 offset $7`,
        [...filter(query), query.limit ?? null, query.offset ?? 0],
      );
      return rows.map(({ id, action, keyId, ownerId, details, at }) => ({
        id,
        action,
        keyId,
        ownerId,
        timestamp: new Date(at).toISOString(),
        ...(Object.keys(details).length > 0 && { data: details }),
      }));
    },
    countLogs: async (query) => {
      const rows = await db.query<{ n: number }>(
        `select count(*)::int as n from audit_logs where ${MATCH}`,
        filter(query),
      );
      return rows[0]?.n ?? 0;
    },
    deleteLogs: async (query) =>
      (await db.query(`delete from audit_logs where ${MATCH} returning id`, filter(query))).length,
    getLogStats: async (ownerId) => {
      const rows = await db.query<{ action: AuditAction; n: number; last: number }>(
        `select action, count(*)::int as n, (extract(epoch from max(created_at)) * 1000)::float8 as last
         from audit_logs where owner_id = $1 and key_id is not null group by action`,
        [ownerId],
      );
      return {
        total: rows.reduce((sum, row) => sum + row.n, 0),
        byAction: Object.fromEntries(rows.map((row) => [row.action, row.n])),
        lastActivity: rows.length === 0 ? null : new Date(Math.max(...rows.map((row) => row.last))).toISOString(),
      };
    },
  };
}

function filter({ keyId, ownerId, action, startDate, endDate }: AuditLogQuery): readonly unknown[] {
  return [keyId ?? null, ownerId ?? null, action ?? null, startDate ?? null, endDate ?? null];
}
