import type { AuditAction, AuditLog, AuditLogQuery, Storage } from "@alkdev/keypal";
import { and, count, desc, eq, gte, isNotNull, lt, lte, max, type SQL, sql } from "drizzle-orm";
import type { Page } from "../runs/ports.ts";
import { checkedRow } from "./checked_row.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { Database } from "./database.ts";
import { ensureAccount, ensureOrganization } from "./organization_store.ts";
import { auditLogRow, auditLogs } from "./schema/mod.ts";

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

/** Filters of the audit log; all given ones must hold. Times are ms since the epoch: `since` inclusive, `until` exclusive. */
export interface AuditQuery {
  readonly orgId: string;
  readonly action?: string;
  readonly ownerId?: string;
  readonly keyId?: string;
  readonly since?: number;
  readonly until?: number;
  readonly limit: number;
  readonly cursor?: string;
}

export interface AuditLogStore {
  append(entry: Omit<AuditEntry, "id" | "at">): Promise<void>;
  record(action: RecordedAction): Promise<void>;
  /** Newest first. */
  list(query: AuditQuery): Promise<Page<AuditEntry>>;
}

/** The append-only audit log. */
export function createAuditLog(db: Database): AuditLogStore {
  const { orm } = db;
  return {
    async append(entry) {
      await ensureAccount(db, entry.ownerId);
      // Whole ms: a cursor says no more, and a page must go on right after its last entry.
      const createdAt = sql`date_trunc('milliseconds', clock_timestamp())`;
      await orm.insert(auditLogs).values({ id: crypto.randomUUID(), ...entry, createdAt });
    },
    async record({ action, orgId, actorId, actorKeyId, keyId, at, data }) {
      await ensureAccount(db, actorId);
      await ensureOrganization(db, orgId);
      const details = { ...data, actorKeyId };
      const entry = { action, ownerId: actorId, keyId, orgId, details, createdAt: at };
      await orm.insert(auditLogs).values({ id: crypto.randomUUID(), ...entry });
    },
    async list({ orgId, action, ownerId, keyId, since, until, limit, cursor }) {
      const wanted = and(
        eq(auditLogs.orgId, orgId),
        action === undefined ? undefined : eq(auditLogs.action, action),
        ownerId === undefined ? undefined : eq(auditLogs.ownerId, ownerId),
        keyId === undefined ? undefined : eq(auditLogs.keyId, keyId),
        since === undefined ? undefined : gte(auditLogs.createdAt, since),
        until === undefined ? undefined : lt(auditLogs.createdAt, until),
        after(cursor),
      );
      const rows = await orm.select().from(auditLogs).where(wanted)
        .orderBy(desc(auditLogs.createdAt), desc(auditLogs.id)).limit(limit + 1);
      const items = rows.slice(0, limit).map(toEntry);
      const last = items.at(-1);
      const nextCursor = rows.length > limit && last !== undefined
        ? encodeCursor({ createdAt: last.at, id: last.id })
        : null;
      return { items, nextCursor };
    },
  };
}

/** Entries older than the page that ended at `cursor`; a comparison of rows, which the index can begin at. */
function after(cursor: string | undefined): SQL | undefined {
  if (cursor === undefined) return undefined;
  const { createdAt, id } = decodeCursor(cursor);
  return sql`(${auditLogs.createdAt}, ${auditLogs.id}) < (${
    sql.param(createdAt, auditLogs.createdAt)
  }::timestamptz, ${id})`;
}

function toEntry(row: typeof auditLogs.$inferSelect): AuditEntry {
  const { id, action, ownerId, keyId, orgId, details, createdAt } = checkedRow("audit_logs", auditLogRow, row);
  return { id, action, ownerId, keyId, orgId, details, at: createdAt };
}

type KeyAudit = Required<Pick<Storage, "saveLog" | "findLogs" | "countLogs" | "deleteLogs" | "getLogStats">>;

/** keypal's part of the audit log: the entries about keys. */
export function auditStore(db: Database): KeyAudit {
  const { orm } = db;
  return {
    async saveLog({ id, action, keyId, ownerId, timestamp, data }) {
      await ensureAccount(db, ownerId);
      const createdAt = Date.parse(timestamp);
      await orm.insert(auditLogs).values({ id, action, ownerId, keyId, details: data ?? {}, createdAt });
    },
    async findLogs(query) {
      const matching = orm.select().from(auditLogs).where(matches(query))
        .orderBy(desc(auditLogs.createdAt), desc(auditLogs.id)).offset(query.offset ?? 0);
      const rows = await (query.limit === undefined ? matching : matching.limit(query.limit));
      return rows.map(toLog);
    },
    async countLogs(query) {
      const [row] = await orm.select({ n: count() }).from(auditLogs).where(matches(query));
      return row?.n ?? 0;
    },
    deleteLogs: async (query) =>
      (await orm.delete(auditLogs).where(matches(query)).returning({ id: auditLogs.id })).length,
    async getLogStats(ownerId) {
      const rows = await orm.select({ action: auditLogs.action, n: count(), last: max(auditLogs.createdAt) })
        .from(auditLogs).where(matches({ ownerId })).groupBy(auditLogs.action);
      const last = Math.max(...rows.map((row) => row.last ?? 0));
      return {
        total: rows.reduce((sum, row) => sum + row.n, 0),
        byAction: Object.fromEntries(rows.map((row) => [row.action, row.n])),
        lastActivity: rows.length === 0 ? null : new Date(last).toISOString(),
      };
    },
  };
}

function matches({ keyId, ownerId, action, startDate, endDate }: AuditLogQuery): SQL | undefined {
  return and(
    isNotNull(auditLogs.keyId),
    keyId === undefined ? undefined : eq(auditLogs.keyId, keyId),
    ownerId === undefined ? undefined : eq(auditLogs.ownerId, ownerId),
    action === undefined ? undefined : eq(auditLogs.action, action),
    startDate === undefined ? undefined : gte(auditLogs.createdAt, Date.parse(startDate)),
    endDate === undefined ? undefined : lte(auditLogs.createdAt, Date.parse(endDate)),
  );
}

function toLog(row: typeof auditLogs.$inferSelect): AuditLog {
  const { id, action, keyId, ownerId, details, createdAt } = checkedRow("audit_logs", auditLogRow, row);
  return {
    id,
    action: action as AuditAction, // as saveLog was given it, or another word that its reader asked for
    keyId: keyId ?? "", // never null: see `matches`
    ownerId,
    timestamp: new Date(createdAt).toISOString(),
    ...(Object.keys(details).length > 0 && { data: details }),
  };
}
