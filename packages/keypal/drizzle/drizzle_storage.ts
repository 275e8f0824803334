import { and, asc, count, desc, eq, gte, lte, max, type SQL, sql } from "drizzle-orm";
import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";
import type { ApiKeyMetadata, ApiKeyRecord } from "../api_key_record.ts";
import type { AuditAction, AuditLog, AuditLogQuery, AuditLogStats } from "../audit_log.ts";
import type { Storage } from "../storage.ts";
import { apikey, apikeyLog } from "./tables.ts";

/**
 * Keeps keys in PostgreSQL, in the tables {@linkcode apikey} and {@linkcode apikeyLog}. A change of metadata is one statement
 * that merges fields, so that two at once lose nothing.
 *
 * @example
 * ```ts
 * import { createKeys } from "@alkdev/keypal";
 * import { DrizzleStorage, KEY_TABLES_SQL } from "@alkdev/keypal/drizzle";
 * import { PGlite } from "@electric-sql/pglite";
 * import { drizzle } from "drizzle-orm/pglite";
 *
 * const client = new PGlite();
 * await client.exec(KEY_TABLES_SQL);
 * const keys = createKeys({ prefix: "alk_", storage: new DrizzleStorage({ db: drizzle({ client }) }) });
 * const { key } = await keys.create({ ownerId: "ada" });
 * console.assert((await keys.verify(key)).valid);
 * await keys.flushUsage();
 * await client.close();
 * ```
 */
export class DrizzleStorage implements Storage {
  readonly #db: PgDatabase<PgQueryResultHKT>;

  /** `db`: a drizzle database of any PostgreSQL driver, PGlite's included, in which the tables are. */
  constructor({ db }: { readonly db: PgDatabase<PgQueryResultHKT> }) {
    this.#db = db;
  }

  async save({ id, keyHash, metadata }: ApiKeyRecord): Promise<void> {
    const set = { keyHash, metadata };
    await this.#db.insert(apikey).values({ id, ...set }).onConflictDoUpdate({ target: apikey.id, set });
  }

  async findByHash(keyHash: string): Promise<ApiKeyRecord | null> {
    return (await this.#find(eq(apikey.keyHash, keyHash)))[0] ?? null;
  }

  async findById(id: string): Promise<ApiKeyRecord | null> {
    return (await this.#find(eq(apikey.id, id)))[0] ?? null;
  }

  findByOwner(ownerId: string): Promise<readonly ApiKeyRecord[]> {
    return this.#find(isOf("ownerId", ownerId));
  }

  findByOrg(orgId: string): Promise<readonly ApiKeyRecord[]> {
    return this.#find(isOf("orgId", orgId));
  }

  async findByTags(tags: readonly string[], ownerId?: string): Promise<readonly ApiKeyRecord[]> {
    if (tags.length === 0) return [];
    const wanted = sql.join(tags.map((tag) => sql`${tag.toLowerCase()}`), sql`, `);
    const hasOne = sql`(${apikey.metadata}->'tags') ?| array[${wanted}]::text[]`;
    return await this.#find(and(hasOne, ownerId === undefined ? undefined : isOf("ownerId", ownerId)));
  }

  findByTag(tag: string, ownerId?: string): Promise<readonly ApiKeyRecord[]> {
    return this.findByTags([tag], ownerId);
  }

  async updateMetadata(id: string, metadata: Partial<ApiKeyMetadata>): Promise<void> {
    const merged = sql`${apikey.metadata} || ${JSON.stringify(metadata)}::jsonb`;
    await this.#db.update(apikey).set({ metadata: merged }).where(eq(apikey.id, id));
  }

  async delete(id: string): Promise<void> {
    await this.#db.delete(apikey).where(eq(apikey.id, id));
  }

  async deleteByOwner(ownerId: string): Promise<void> {
    await this.#db.delete(apikey).where(isOf("ownerId", ownerId));
  }

  async saveLog(log: AuditLog): Promise<void> {
    await this.#db.insert(apikeyLog).values(log);
  }

  async findLogs(query: AuditLogQuery): Promise<readonly AuditLog[]> {
    const { offset = 0, limit } = query;
    const selected = this.#db.select().from(apikeyLog).where(fits(query))
      .orderBy(desc(apikeyLog.timestamp), desc(apikeyLog.seq)).offset(offset);
    const rows = await (limit === undefined ? selected : selected.limit(limit));
    return rows.map(({ seq: _seq, data, action, ...log }) => ({
      ...log,
      // saveLog() wrote it.
      action: action as AuditAction,
      ...(data !== null && { data }),
    }));
  }

  async countLogs(query: AuditLogQuery): Promise<number> {
    const [row] = await this.#db.select({ count: count() }).from(apikeyLog).where(fits(query));
    return row?.count ?? 0;
  }

  async deleteLogs(query: AuditLogQuery): Promise<number> {
    return (await this.#db.delete(apikeyLog).where(fits(query)).returning({ id: apikeyLog.id })).length;
  }

  async getLogStats(ownerId: string): Promise<AuditLogStats> {
    const rows = await this.#db
      .select({ action: apikeyLog.action, count: count(), last: max(apikeyLog.timestamp) })
      .from(apikeyLog).where(eq(apikeyLog.ownerId, ownerId)).groupBy(apikeyLog.action);
    const lasts = rows.flatMap(({ last }) => last ?? []).sort();
    return {
      total: rows.reduce((total, row) => total + row.count, 0),
      byAction: Object.fromEntries(rows.map((row) => [row.action, row.count])),
      lastActivity: lasts.at(-1) ?? null,
    };
  }

  async #find(where: SQL | undefined): Promise<readonly ApiKeyRecord[]> {
    return await this.#db.select().from(apikey).where(where)
      .orderBy(asc(sql`(${apikey.metadata}->>'createdAt')`), asc(apikey.id));
  }
}

function isOf(field: "ownerId" | "orgId", value: string): SQL {
  return sql`(${apikey.metadata}->>${sql.raw(`'${field}'`)}) = ${value}`;
}

function fits({ keyId, ownerId, action, startDate, endDate }: AuditLogQuery): SQL | undefined {
  return and(
    keyId === undefined ? undefined : eq(apikeyLog.keyId, keyId),
    ownerId === undefined ? undefined : eq(apikeyLog.ownerId, ownerId),
    action === undefined ? undefined : eq(apikeyLog.action, action),
    startDate === undefined ? undefined : gte(apikeyLog.timestamp, new Date(startDate).toISOString()),
    endDate === undefined ? undefined : lte(apikeyLog.timestamp, new Date(endDate).toISOString()),
  );
}
