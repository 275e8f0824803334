import type { ApiKeyMetadata, ApiKeyRecord } from "../api_key_record.ts";
import type { AuditLog, AuditLogQuery, AuditLogStats } from "../audit_log.ts";
import type { Storage } from "../storage.ts";
import { DELETE, DELETE_OF_OWNER, FIND_BY_HASH, FIND_BY_ID, FIND_IN, SAVE, UPDATE } from "./record_scripts.ts";
import type { RedisStorageClient } from "./redis_client_like.ts";
import { RedisLogs } from "./redis_logs.ts";

/** Where a {@linkcode RedisStorage} keeps its keys. */
export interface RedisStorageOptions {
  readonly client: RedisStorageClient;
  /** Stands before every key; default `{keypal}:`. What is in braces puts all of them on one node of a cluster. */
  readonly prefix?: string;
}

const FIELD = "m:";

/**
 * Keeps keys in a Redis, for the processes that share it. Every change is one step there. Redis may lose the last second when
 * it is killed, or more, as it is set up: a key that must not be lost belongs in a database.
 *
 * @example
 * ```ts ignore
 * import { createKeys } from "@alkdev/keypal";
 * import { RedisStorage } from "@alkdev/keypal/redis";
 * import { Redis } from "ioredis";
 *
 * const keys = createKeys({ prefix: "alk_", storage: new RedisStorage({ client: new Redis() }) });
 * ```
 */
export class RedisStorage implements Storage {
  readonly #client: RedisStorageClient;
  readonly #prefix: string;
  readonly #logs: RedisLogs;

  constructor({ client, prefix = "{keypal}:" }: RedisStorageOptions) {
    this.#client = client;
    this.#prefix = prefix;
    this.#logs = new RedisLogs(client, prefix);
  }

  async save({ id, keyHash, metadata }: ApiKeyRecord): Promise<void> {
    const other = await this.#run(SAVE, id, keyHash, ...toFields(metadata));
    if (other !== "") throw new Error(`Cannot save key "${id}": its hash is that of key "${String(other)}"`);
  }

  async findByHash(keyHash: string): Promise<ApiKeyRecord | null> {
    return (await this.#find(FIND_BY_HASH, keyHash))[0] ?? null;
  }

  async findById(id: string): Promise<ApiKeyRecord | null> {
    return (await this.#find(FIND_BY_ID, id))[0] ?? null;
  }

  findByOwner(ownerId: string): Promise<readonly ApiKeyRecord[]> {
    return this.#find(FIND_IN, `owner:${ownerId}`);
  }

  findByOrg(orgId: string): Promise<readonly ApiKeyRecord[]> {
    return this.#find(FIND_IN, `org:${orgId}`);
  }

  async findByTags(tags: readonly string[], ownerId?: string): Promise<readonly ApiKeyRecord[]> {
    if (tags.length === 0) return [];
    const found = await this.#find(FIND_IN, ...tags.map((tag) => `tag:${tag.toLowerCase()}`));
    return ownerId === undefined ? found : found.filter(({ metadata }) => metadata.ownerId === ownerId);
  }

  findByTag(tag: string, ownerId?: string): Promise<readonly ApiKeyRecord[]> {
    return this.findByTags([tag], ownerId);
  }

  async updateMetadata(id: string, metadata: Partial<ApiKeyMetadata>): Promise<void> {
    const fields = toFields(metadata);
    if (fields.length > 0) await this.#run(UPDATE, id, ...fields);
  }

  async delete(id: string): Promise<void> {
    await this.#run(DELETE, id);
  }

  async deleteByOwner(ownerId: string): Promise<void> {
    await this.#run(DELETE_OF_OWNER, ownerId);
  }

  saveLog(log: AuditLog): Promise<void> {
    return this.#logs.save(log);
  }

  findLogs(query: AuditLogQuery): Promise<readonly AuditLog[]> {
    return this.#logs.find(query);
  }

  countLogs(query: AuditLogQuery): Promise<number> {
    return this.#logs.count(query);
  }

  deleteLogs(query: AuditLogQuery): Promise<number> {
    return this.#logs.delete(query);
  }

  getLogStats(ownerId: string): Promise<AuditLogStats> {
    return this.#logs.stats(ownerId);
  }

  #run(script: string, ...args: string[]): Promise<unknown> {
    return this.#client.eval(script, 1, this.#prefix, ...args);
  }

  async #find(script: string, ...args: string[]): Promise<ApiKeyRecord[]> {
    // The scripts' answer: pairs of an id and what HGETALL gives.
    const found = await this.#run(script, ...args) as readonly (readonly [string, readonly string[]])[];
    return found.map(([id, fields]) => toRecord(id, fields)).sort(byAge);
  }
}

/** Only what is given: a field that is not must keep its value. */
function toFields(metadata: Partial<ApiKeyMetadata>): string[] {
  return Object.entries(metadata).flatMap(([name, value]) =>
    value === undefined ? [] : [FIELD + name, JSON.stringify(value)]
  );
}

function toRecord(id: string, fields: readonly string[]): ApiKeyRecord {
  let keyHash = "";
  const metadata: Record<string, unknown> = {};
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [name = "", value = ""] = fields.slice(at, at + 2);
    if (name.startsWith(FIELD)) metadata[name.slice(FIELD.length)] = JSON.parse(value);
    else if (name === "hash") keyHash = value;
  }
  // What toFields() wrote, field by field.
  return { id, keyHash, metadata: metadata as unknown as ApiKeyMetadata };
}

function byAge(a: ApiKeyRecord, b: ApiKeyRecord): number {
  const [left, right] = [a, b].map(({ id, metadata }) => `${metadata.createdAt ?? ""} ${id}`);
  return left === right ? 0 : String(left) < String(right) ? -1 : 1;
}
