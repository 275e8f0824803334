import type { ApiKeyRecord } from "./api_key_record.ts";
import type { AuditAction, AuditContext, AuditLog, AuditLogQuery, AuditLogStats } from "./audit_log.ts";
import { generateId } from "./generate_key.ts";
import { KeyError } from "./key_error.ts";
import type { Storage } from "./storage.ts";

/** Writes and reads the audit logs of a storage that keeps them. */
export class AuditTrail {
  readonly #storage: Storage;
  readonly #enabled: boolean;
  readonly #context: AuditContext | undefined;

  constructor(storage: Storage, enabled: boolean, context: AuditContext | undefined) {
    this.#storage = storage;
    this.#enabled = enabled;
    this.#context = context;
  }

  /** No-op when audit logs are off or the storage keeps none. */
  async record(action: AuditAction, record: ApiKeyRecord, at: string, context?: AuditContext): Promise<void> {
    if (!this.#enabled || this.#storage.saveLog === undefined) return;
    const data = { ...this.#context, ...context };
    await this.#storage.saveLog({
      id: generateId(),
      action,
      keyId: record.id,
      ownerId: record.metadata.ownerId,
      timestamp: at,
      ...(Object.keys(data).length > 0 ? { data } : {}),
    });
  }

  /** @throws {KeyError} as do all reads: `AUDIT_LOGGING_DISABLED`, `STORAGE_NOT_SUPPORTED` */
  async find(query: AuditLogQuery): Promise<readonly AuditLog[]> {
    return await this.#supported("findLogs").findLogs(query);
  }

  async count(query: AuditLogQuery): Promise<number> {
    return await this.#supported("countLogs").countLogs(query);
  }

  async delete(query: AuditLogQuery): Promise<number> {
    return await this.#supported("deleteLogs").deleteLogs(query);
  }

  async stats(ownerId: string): Promise<AuditLogStats> {
    return await this.#supported("getLogStats").getLogStats(ownerId);
  }

  #supported<M extends keyof Storage>(method: M): Required<Pick<Storage, M>> {
    if (!this.#enabled) {
      throw new KeyError("AUDIT_LOGGING_DISABLED", `Cannot read audit logs as "auditLogs" is false: wanted true`);
    }
    if (!supports(this.#storage, method)) {
      throw new KeyError("STORAGE_NOT_SUPPORTED", `Cannot read audit logs as the storage has no "${method}"`);
    }
    return this.#storage;
  }
}

function supports<M extends keyof Storage>(
  storage: Storage,
  method: M,
): storage is Storage & Required<Pick<Storage, M>> {
  return storage[method] !== undefined;
}
