import type { ApiKeyMetadata, ApiKeyRecord } from "./api_key_record.ts";
import type { AuditLog, AuditLogQuery, AuditLogStats } from "./audit_log.ts";

/** Where keys are kept. Unknown ids are null on reads and no-ops on deletes. */
export interface Storage {
  /** Inserts, or replaces the record with this id. */
  save(record: ApiKeyRecord): Promise<void>;
  findByHash(keyHash: string): Promise<ApiKeyRecord | null>;
  findById(id: string): Promise<ApiKeyRecord | null>;
  /** Oldest first, as are all lists. */
  findByOwner(ownerId: string): Promise<readonly ApiKeyRecord[]>;
  findByOrg(orgId: string): Promise<readonly ApiKeyRecord[]>;
  /** Records that have any of the tags, of one owner when given. */
  findByTags(tags: readonly string[], ownerId?: string): Promise<readonly ApiKeyRecord[]>;
  findByTag(tag: string, ownerId?: string): Promise<readonly ApiKeyRecord[]>;
  /** Merges fields over what is stored. Unknown id: no-op. */
  updateMetadata(id: string, metadata: Partial<ApiKeyMetadata>): Promise<void>;
  delete(id: string): Promise<void>;
  deleteByOwner(ownerId: string): Promise<void>;
  saveLog?(log: AuditLog): Promise<void>;
  findLogs?(query: AuditLogQuery): Promise<readonly AuditLog[]>;
  countLogs?(query: AuditLogQuery): Promise<number>;
  /** How many were deleted. */
  deleteLogs?(query: AuditLogQuery): Promise<number>;
  getLogStats?(ownerId: string): Promise<AuditLogStats>;
}
