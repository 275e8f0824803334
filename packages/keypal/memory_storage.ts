import type { ApiKeyMetadata, ApiKeyRecord } from "./api_key_record.ts";
import type { AuditAction, AuditLog, AuditLogQuery, AuditLogStats } from "./audit_log.ts";
import type { Storage } from "./storage.ts";

/**
 * Keeps keys in this process: for tests, and the reference for other storages.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createKeys, MemoryStorage } from "@alkdev/keypal";
 *
 * const storage = new MemoryStorage();
 * const { record } = await createKeys({ storage }).create({ ownerId: "ada" });
 * assert.deepEqual(await storage.findById(record.id), record);
 * ```
 */
export class MemoryStorage implements Storage {
  readonly #records = new Map<string, ApiKeyRecord>();
  readonly #idByHash = new Map<string, string>();
  #logs: AuditLog[] = [];

  save(record: ApiKeyRecord): Promise<void> {
    const other = this.#idByHash.get(record.keyHash);
    if (other !== undefined && other !== record.id) {
      return Promise.reject(new Error(`Cannot save key "${record.id}": its hash is that of key "${other}"`));
    }
    const old = this.#records.get(record.id);
    if (old !== undefined) this.#idByHash.delete(old.keyHash);
    this.#records.set(record.id, structuredClone(record));
    this.#idByHash.set(record.keyHash, record.id);
    return Promise.resolve();
  }

  findByHash(keyHash: string): Promise<ApiKeyRecord | null> {
    const id = this.#idByHash.get(keyHash);
    return id === undefined ? Promise.resolve(null) : this.findById(id);
  }

  findById(id: string): Promise<ApiKeyRecord | null> {
    return Promise.resolve(this.#records.get(id) ?? null);
  }

  findByOwner(ownerId: string): Promise<readonly ApiKeyRecord[]> {
    return this.#filter(({ metadata }) => metadata.ownerId === ownerId);
  }

  findByOrg(orgId: string): Promise<readonly ApiKeyRecord[]> {
    return this.#filter(({ metadata }) => metadata.orgId === orgId);
  }

  findByTags(tags: readonly string[], ownerId?: string): Promise<readonly ApiKeyRecord[]> {
    const wanted = tags.map((tag) => tag.toLowerCase());
    return this.#filter(({ metadata }) =>
      (ownerId === undefined || metadata.ownerId === ownerId) &&
      wanted.some((tag) => metadata.tags?.includes(tag) === true)
    );
  }

  findByTag(tag: string, ownerId?: string): Promise<readonly ApiKeyRecord[]> {
    return this.findByTags([tag], ownerId);
  }

  updateMetadata(id: string, metadata: Partial<ApiKeyMetadata>): Promise<void> {
    const record = this.#records.get(id);
    if (record !== undefined) this.#records.set(id, { ...record, metadata: { ...record.metadata, ...metadata } });
    return Promise.resolve();
  }

  delete(id: string): Promise<void> {
    const record = this.#records.get(id);
    if (record !== undefined) this.#idByHash.delete(record.keyHash);
    this.#records.delete(id);
    return Promise.resolve();
  }

  async deleteByOwner(ownerId: string): Promise<void> {
    for (const { id } of await this.findByOwner(ownerId)) await this.delete(id);
  }

  saveLog(log: AuditLog): Promise<void> {
    this.#logs.push(log);
    return Promise.resolve();
  }

  findLogs(query: AuditLogQuery): Promise<readonly AuditLog[]> {
    const { offset = 0, limit = Infinity } = query;
    const found = this.#logs.filter((log) => matches(log, query)).reverse();
    return Promise.resolve(found.slice(offset, offset + limit));
  }

  countLogs(query: AuditLogQuery): Promise<number> {
    return Promise.resolve(this.#logs.filter((log) => matches(log, query)).length);
  }

  deleteLogs(query: AuditLogQuery): Promise<number> {
    const kept = this.#logs.filter((log) => !matches(log, query));
    const deleted = this.#logs.length - kept.length;
    this.#logs = kept;
    return Promise.resolve(deleted);
  }

  getLogStats(ownerId: string): Promise<AuditLogStats> {
    const byAction: Partial<Record<AuditAction, number>> = {};
    const logs = this.#logs.filter((log) => log.ownerId === ownerId);
    for (const { action } of logs) byAction[action] = (byAction[action] ?? 0) + 1;
    return Promise.resolve({ total: logs.length, byAction, lastActivity: logs.at(-1)?.timestamp ?? null });
  }

  #filter(keep: (record: ApiKeyRecord) => boolean): Promise<readonly ApiKeyRecord[]> {
    return Promise.resolve([...this.#records.values()].filter(keep));
  }
}

function matches(log: AuditLog, query: AuditLogQuery): boolean {
  return (query.keyId === undefined || log.keyId === query.keyId) &&
    (query.ownerId === undefined || log.ownerId === query.ownerId) &&
    (query.action === undefined || log.action === query.action) &&
    (query.startDate === undefined || Date.parse(log.timestamp) >= Date.parse(query.startDate)) &&
    (query.endDate === undefined || Date.parse(log.timestamp) <= Date.parse(query.endDate));
}
