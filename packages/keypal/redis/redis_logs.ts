import type { AuditAction, AuditLog, AuditLogQuery, AuditLogStats } from "../audit_log.ts";
import { DELETE_LOGS, READ_LOGS, SAVE_LOG } from "./log_scripts.ts";
import type { RedisStorageClient } from "./redis_client_like.ts";

/** So many are read, or deleted, by one script: Redis does nothing else meanwhile. */
const PAGE = 500;

interface Numbered {
  readonly number: string;
  readonly log: AuditLog;
}

/** The audit logs of keys that are kept in Redis. */
export class RedisLogs {
  readonly #client: RedisStorageClient;
  readonly #prefix: string;

  constructor(client: RedisStorageClient, prefix: string) {
    this.#client = client;
    this.#prefix = prefix;
  }

  async save(log: AuditLog): Promise<void> {
    const ms = String(Date.parse(log.timestamp));
    await this.#client.eval(SAVE_LOG, 1, this.#prefix, JSON.stringify(log), ms, log.keyId, log.ownerId);
  }

  async find(query: AuditLogQuery): Promise<readonly AuditLog[]> {
    const { offset = 0, limit = Infinity } = query;
    const found: AuditLog[] = [];
    let skipped = 0;
    for await (const { log } of this.#read(query)) {
      if (found.length >= limit) break;
      if (skipped < offset) skipped++;
      else found.push(log);
    }
    return found;
  }

  async count(query: AuditLogQuery): Promise<number> {
    let count = 0;
    for await (const _ of this.#read(query)) count++;
    return count;
  }

  async delete(query: AuditLogQuery): Promise<number> {
    // Read to the end first: deleting moves what is left to other places.
    const all: Numbered[] = [];
    for await (const numbered of this.#read(query)) all.push(numbered);
    let deleted = 0;
    for (let at = 0; at < all.length; at += PAGE) {
      const args = all.slice(at, at + PAGE).flatMap(({ number, log }) => [number, log.keyId, log.ownerId]);
      deleted += Number(await this.#client.eval(DELETE_LOGS, 1, this.#prefix, ...args));
    }
    return deleted;
  }

  async stats(ownerId: string): Promise<AuditLogStats> {
    const byAction: Partial<Record<AuditAction, number>> = {};
    let total = 0;
    let lastActivity: string | null = null;
    for await (const { log } of this.#read({ ownerId })) {
      total++;
      lastActivity ??= log.timestamp;
      byAction[log.action] = (byAction[log.action] ?? 0) + 1;
    }
    return { total, byAction, lastActivity };
  }

  /** What fits the query, the newest first. */
  async *#read(query: AuditLogQuery): AsyncGenerator<Numbered> {
    const { keyId, ownerId, action, startDate, endDate } = query;
    const index = keyId !== undefined ? `key:${keyId}` : ownerId !== undefined ? `owner:${ownerId}` : "all";
    const range = [index, scoreOf(startDate, "-inf"), scoreOf(endDate, "+inf")];
    for (let at = 0;; at += PAGE) {
      const page = await this.#client.eval(READ_LOGS, 1, this.#prefix, ...range, String(at), String(PAGE));
      // The script's answer: pairs of number and log, in JSON that save() wrote.
      const pairs = page as readonly (readonly [string, string | null])[];
      for (const [number, text] of pairs) {
        if (text === null) continue;
        const log: AuditLog = JSON.parse(text);
        if ((ownerId === undefined || log.ownerId === ownerId) && (action === undefined || log.action === action)) {
          yield { number, log };
        }
      }
      if (pairs.length < PAGE) return;
    }
  }
}

function scoreOf(date: string | undefined, open: string): string {
  return date === undefined ? open : String(Date.parse(date));
}
