import type { ApiKeyMetadata, ApiKeyRecord, CreateApiKeyInput } from "./api_key_record.ts";
import type { AuditAction, AuditContext, AuditLog, AuditLogQuery, AuditLogStats } from "./audit_log.ts";
import { AuditTrail } from "./audit_trail.ts";
import { cacheOf, storageOf } from "./configured.ts";
import type { ApiKeyManagerConfig } from "./config.ts";
import { isExpired } from "./expiry.ts";
import { extractKeyFromHeaders, type ExtractOptions, type HeadersLike } from "./extract_key.ts";
import { generateId, generateKey } from "./generate_key.ts";
import { KeyHasher } from "./hash_key.ts";
import { KeyError } from "./key_error.ts";
import {
  checkResourceAllScopes,
  checkResourceAnyScope,
  checkResourceScope,
  hasAllScopes,
  hasAnyScope,
  hasScope,
  type ScopeOptions,
} from "./scopes.ts";
import type { Storage } from "./storage.ts";
import { UsageTracker } from "./usage_tracker.ts";
import { Verifier } from "./verifier.ts";
import type { VerifyResult } from "./verify_result.ts";

/** How one verification differs from the configured ones. */
export interface VerifyOptions extends ExtractOptions {
  readonly skipCache?: boolean;
  readonly skipTracking?: boolean;
}

/** A key that was just made. `key` is the only time the plain key is seen. */
export interface CreatedKey {
  readonly key: string;
  readonly record: ApiKeyRecord;
}

/**
 * Makes, verifies and retires API keys. Revocation is final: a revoked key is never changed again, and keeps its record.
 */
export class ApiKeyManager {
  readonly #config: ApiKeyManagerConfig;
  readonly #storage: Storage;
  readonly #hasher: KeyHasher;
  readonly #verifier: Verifier;
  readonly #audit: AuditTrail;
  readonly #usage: UsageTracker;
  readonly #now: () => number;

  constructor(config: ApiKeyManagerConfig = {}) {
    this.#config = config;
    this.#now = config.now ?? Date.now;
    this.#storage = storageOf(config);
    this.#hasher = new KeyHasher(config.algorithm, config.salt);
    this.#audit = new AuditTrail(this.#storage, config.auditLogs ?? false, config.auditContext);
    this.#usage = new UsageTracker(this.#storage, (config.usageInterval ?? 60) * 1000, this.#now);
    this.#verifier = new Verifier({
      storage: this.#storage,
      hasher: this.#hasher,
      cache: cacheOf(config),
      cacheTtlSeconds: config.cacheTtl ?? 60,
      revokedKeyTtlSeconds: config.revokedKeyTtl ?? 604_800,
      prefix: config.prefix ?? "",
      now: this.#now,
    });
  }

  /** A fresh plain key of the configured form. Stores nothing. */
  generateKey(): string {
    return generateKey(this.#config);
  }

  hashKey(key: string): string {
    return this.#hasher.hash(key);
  }

  /** Whether `key` hashes to `hash`; constant time. */
  validateKey(key: string, hash: string): boolean {
    return this.#hasher.matches(key, hash);
  }

  extractKey(headers: HeadersLike, options: ExtractOptions = {}): string | null {
    return extractKeyFromHeaders(headers, { ...this.#config, ...options });
  }

  hasKey(headers: HeadersLike, options: ExtractOptions = {}): boolean {
    return this.extractKey(headers, options) !== null;
  }

  /** Never throws for a bad key. Warm, about 2 µs with storage in memory. */
  async verify(keyOrHeaders: string | HeadersLike, options: VerifyOptions = {}): Promise<VerifyResult> {
    const given = typeof keyOrHeaders === "string"
      ? keyOrHeaders.replace(/^bearer +/i, "")
      : this.extractKey(keyOrHeaders, options);
    const result = await this.#verifier.verify(given, options.skipCache ?? false);
    const track = (this.#config.autoTrackUsage ?? true) && options.skipTracking !== true;
    if (result.valid && track) this.#usage.used(result.record.id);
    return result;
  }

  verifyFromHeaders(headers: HeadersLike, options: VerifyOptions = {}): Promise<VerifyResult> {
    return this.verify(headers, options);
  }

  /** Makes and stores a key. */
  async create(input: CreateApiKeyInput, context?: AuditContext): Promise<CreatedKey> {
    const key = this.generateKey();
    return { key, record: await this.adopt(key, input, context) };
  }

  /** Stores a key that was made elsewhere, as a first start's key file is. An addition to the published package. */
  async adopt(key: string, input: CreateApiKeyInput, context?: AuditContext): Promise<ApiKeyRecord> {
    const record = this.#makeRecord(key, input);
    await this.#storage.save(record);
    await this.#log("created", record, context);
    return record;
  }

  findByHash(keyHash: string): Promise<ApiKeyRecord | null> {
    return this.#storage.findByHash(keyHash);
  }

  findById(id: string): Promise<ApiKeyRecord | null> {
    return this.#storage.findById(id);
  }

  findByTags(tags: readonly string[], ownerId?: string): Promise<readonly ApiKeyRecord[]> {
    return this.#storage.findByTags(tags.map(lowerCase), ownerId);
  }

  findByTag(tag: string, ownerId?: string): Promise<readonly ApiKeyRecord[]> {
    return this.#storage.findByTag(tag.toLowerCase(), ownerId);
  }

  /** All keys of an owner, revoked ones included. */
  list(ownerId: string): Promise<readonly ApiKeyRecord[]> {
    return this.#storage.findByOwner(ownerId);
  }

  /** All keys of a tenant, revoked ones included. */
  listByOrg(orgId: string): Promise<readonly ApiKeyRecord[]> {
    return this.#storage.findByOrg(orgId);
  }

  /** @throws {KeyError} `KEY_NOT_FOUND`, `ALREADY_REVOKED` */
  async revoke(id: string, context?: AuditContext): Promise<void> {
    const record = await this.#require(id);
    if (isRevoked(record)) throw new KeyError("ALREADY_REVOKED", `Cannot revoke key "${id}" as it is already revoked`);
    await this.#change(record, "revoked", { revokedAt: this.#timestamp() }, context);
  }

  /** Revokes what is not yet revoked. */
  async revokeAll(ownerId: string, context?: AuditContext): Promise<void> {
    for (const record of await this.list(ownerId)) {
      if (!isRevoked(record)) await this.#change(record, "revoked", { revokedAt: this.#timestamp() }, context);
    }
  }

  /** @throws {KeyError} `KEY_NOT_FOUND`, `CANNOT_MODIFY_REVOKED`, `ALREADY_ENABLED` */
  async enable(id: string, context?: AuditContext): Promise<void> {
    const record = await this.#requireLive(id, "enable");
    if (record.metadata.enabled !== false) {
      throw new KeyError("ALREADY_ENABLED", `Cannot enable key "${id}" as it is already enabled`);
    }
    await this.#change(record, "enabled", { enabled: true }, context);
  }

  /** @throws {KeyError} `KEY_NOT_FOUND`, `CANNOT_MODIFY_REVOKED`, `ALREADY_DISABLED` */
  async disable(id: string, context?: AuditContext): Promise<void> {
    const record = await this.#requireLive(id, "disable");
    if (record.metadata.enabled === false) {
      throw new KeyError("ALREADY_DISABLED", `Cannot disable key "${id}" as it is already disabled`);
    }
    await this.#change(record, "disabled", { enabled: false }, context);
  }

  /**
   * Puts a new key in the place of an old one, which is revoked; with `graceMs` it expires that much later instead, and both
   * work until then. The new key inherits what `changes` does not say.
   *
   * @throws {KeyError} `KEY_NOT_FOUND`; `CANNOT_MODIFY_REVOKED`, also for one whose place another has taken
   */
  async rotate(
    id: string,
    changes: Partial<CreateApiKeyInput> = {},
    context?: AuditContext,
    { graceMs = 0 }: { readonly graceMs?: number } = {},
  ): Promise<CreatedKey & { readonly oldRecord: ApiKeyRecord }> {
    const old = await this.#requireLive(id, "rotate");
    if (old.metadata.rotatedTo) {
      throw new KeyError("CANNOT_MODIFY_REVOKED", `Cannot rotate key "${id}" as it was rotated already`);
    }
    const { createdAt: _createdAt, lastUsedAt: _lastUsedAt, ...inherited } = old.metadata;
    const key = this.generateKey();
    const record = this.#makeRecord(key, { ...inherited, ...changes });
    await this.#storage.save(record);
    const end = graceMs > 0 ? { expiresAt: this.#graceEnd(old, graceMs) } : { revokedAt: this.#timestamp() };
    const metadata = await this.#change(old, "rotated", { rotatedTo: record.id, ...end }, {
      ...context,
      rotatedTo: record.id,
    });
    return { key, record, oldRecord: { ...old, metadata } };
  }

  async updateLastUsed(id: string): Promise<void> {
    await this.#storage.updateMetadata(id, { lastUsedAt: this.#timestamp() });
  }

  /** Resolves when no write of a last use is under way: for an orderly end. */
  flushUsage(): Promise<void> {
    return this.#usage.idle();
  }

  getLogs(query: AuditLogQuery = {}): Promise<readonly AuditLog[]> {
    return this.#audit.find(query);
  }

  countLogs(query: AuditLogQuery = {}): Promise<number> {
    return this.#audit.count(query);
  }

  /** Answers how many were deleted. */
  deleteLogs(query: AuditLogQuery): Promise<number> {
    return this.#audit.delete(query);
  }

  /** Deletes every log of one key. */
  clearLogs(keyId: string): Promise<number> {
    return this.#audit.delete({ keyId });
  }

  getLogStats(ownerId: string): Promise<AuditLogStats> {
    return this.#audit.stats(ownerId);
  }

  invalidateCache(keyHash: string): Promise<void> {
    return this.#verifier.forget(keyHash);
  }

  isExpired(record: ApiKeyRecord): boolean {
    return isExpired(record.metadata.expiresAt, this.#now());
  }

  /** Whether the key may do `scope`, of its own or, asked for one, for that resource. A key that is not there may do nothing. */
  hasScope(record: ApiKeyRecord | null, scope: string, options: ScopeOptions = {}): boolean {
    return record !== null && hasScope(record.metadata, scope, options);
  }

  /** False for no scopes. */
  hasAnyScope(record: ApiKeyRecord | null, scopes: readonly string[], options: ScopeOptions = {}): boolean {
    return record !== null && hasAnyScope(record.metadata, scopes, options);
  }

  /** True for no scopes, of a key that is there. */
  hasAllScopes(record: ApiKeyRecord | null, scopes: readonly string[], options: ScopeOptions = {}): boolean {
    return record !== null && hasAllScopes(record.metadata, scopes, options);
  }

  /** Whether the key holds `scope` for this one resource; scopes of its own do not count. */
  checkResourceScope(record: ApiKeyRecord | null, type: string, id: string, scope: string): boolean {
    return record !== null && checkResourceScope(record.metadata, `${type}:${id}`, scope);
  }

  checkResourceAnyScope(record: ApiKeyRecord | null, type: string, id: string, scopes: readonly string[]): boolean {
    return record !== null && checkResourceAnyScope(record.metadata, `${type}:${id}`, scopes);
  }

  checkResourceAllScopes(record: ApiKeyRecord | null, type: string, id: string, scopes: readonly string[]): boolean {
    return record !== null && checkResourceAllScopes(record.metadata, `${type}:${id}`, scopes);
  }

  #makeRecord(key: string, input: CreateApiKeyInput): ApiKeyRecord {
    const { tags, ...rest } = input;
    return {
      id: generateId(),
      keyHash: this.hashKey(key),
      metadata: {
        ...rest,
        ...(tags === undefined ? {} : { tags: tags.map(lowerCase) }),
        enabled: input.enabled ?? true,
        createdAt: this.#timestamp(),
        lastUsedAt: null,
        revokedAt: null,
        rotatedTo: null,
      },
    };
  }

  async #change(
    record: ApiKeyRecord,
    action: AuditAction,
    change: Partial<ApiKeyMetadata>,
    context?: AuditContext,
  ): Promise<ApiKeyMetadata> {
    const metadata = { ...record.metadata, ...change };
    await this.#storage.updateMetadata(record.id, change);
    await this.#verifier.remember(record, metadata);
    await this.#log(action, record, context);
    return metadata;
  }

  #log(action: AuditAction, record: ApiKeyRecord, context?: AuditContext): Promise<void> {
    return this.#audit.record(action, record, this.#timestamp(), context);
  }

  async #require(id: string): Promise<ApiKeyRecord> {
    const record = await this.#storage.findById(id);
    if (record === null) throw new KeyError("KEY_NOT_FOUND", `Cannot find key "${id}"`);
    return record;
  }

  async #requireLive(id: string, verb: string): Promise<ApiKeyRecord> {
    const record = await this.#require(id);
    if (isRevoked(record)) {
      throw new KeyError("CANNOT_MODIFY_REVOKED", `Cannot ${verb} key "${id}" as it is revoked`);
    }
    return record;
  }

  /** A key lives no longer for being rotated. */
  #graceEnd({ metadata: { expiresAt } }: ApiKeyRecord, graceMs: number): string {
    const end = new Date(this.#now() + graceMs).toISOString();
    return expiresAt === null || expiresAt === undefined || Date.parse(end) < Date.parse(expiresAt) ? end : expiresAt;
  }

  #timestamp(): string {
    return new Date(this.#now()).toISOString();
  }
}

function isRevoked({ metadata }: ApiKeyRecord): boolean {
  return metadata.revokedAt !== null && metadata.revokedAt !== undefined;
}

function lowerCase(text: string): string {
  return text.toLowerCase();
}
