import type { ApiKeyManager, ApiKeyRecord } from "@alkdev/keypal";
import type { Principal } from "./principal.ts";

/** What {@linkcode createAuth} needs. */
export interface AuthOptions {
  readonly keys: Pick<ApiKeyManager, "extractKey" | "verify" | "hashKey">;
  /** Tenant of keys that name none; default `default`. */
  readonly defaultOrgId?: string;
  /** How long a verified key is trusted without another look, at most 1,000 (I10); default 800. */
  readonly ttlMs?: number;
  /** Keys remembered; default 10,000. */
  readonly maxEntries?: number;
  /** Ms since the epoch; default `Date.now`. */
  readonly now?: () => number;
}

/** Turns a key into a principal. */
export interface Auth {
  /**
   * Takes headers (`authorization: Bearer …`, or `x-api-key`) or a plain key. Null: no key, or one that is not valid now. Warm
   * it answers at once, without a look at the storage.
   *
   * @throws {AuthUnavailableError} when keys cannot be looked up: that is not the caller's fault
   */
  authenticate(headersOrKey: Headers | string): Promise<Principal | null>;
  /** As {@linkcode Auth.authenticate} where the key is remembered; undefined where it must be looked up. */
  remembered(headersOrKey: Headers | string): Principal | undefined;
  /** Whether the key was valid when it was last looked at, not long ago: one who uses it guesses nothing. */
  isFamiliar(key: string): boolean;
  /** Makes the next look at this key a fresh one. */
  invalidate(keyId: string): void;
}

/** Keys cannot be looked up now. */
export class AuthUnavailableError extends Error {
  constructor() {
    super("Cannot authenticate: API keys cannot be looked up now");
    this.name = "AuthUnavailableError";
  }
}

/** Longer texts are no keys: they are not even hashed. */
const MAX_KEY_LENGTH = 512;

interface Entry {
  readonly principal: Principal;
  readonly untilMs: number;
}

/**
 * Authentication with a short memory. A revoked key is refused at once on the hub that revoked it and within `ttlMs`
 * elsewhere. The memory is keyed by the key's hash: plain keys are not kept.
 */
export function createAuth(options: AuthOptions): Auth {
  return new RememberingAuth(options);
}

class RememberingAuth implements Auth {
  readonly #keys: AuthOptions["keys"];
  readonly #defaultOrgId: string;
  readonly #ttlMs: number;
  readonly #maxEntries: number;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  readonly #hashesByKeyId = new Map<string, string>();
  readonly #lookups = new Map<string, Promise<Principal | null>>();
  /** Hashes of keys that were valid, the longest unused first. */
  readonly #familiar = new Set<string>();
  /** Lookups that began before an invalidation must not be remembered. */
  #generation = 0;

  constructor(options: AuthOptions) {
    this.#keys = options.keys;
    this.#defaultOrgId = options.defaultOrgId ?? "default";
    this.#ttlMs = Math.min(options.ttlMs ?? 800, 1000);
    this.#maxEntries = options.maxEntries ?? 10_000;
    this.#now = options.now ?? Date.now;
  }

  remembered(headersOrKey: Headers | string): Principal | undefined {
    const key = this.#extract(headersOrKey);
    return key === null ? undefined : this.#recall(this.#keys.hashKey(key));
  }

  authenticate(headersOrKey: Headers | string): Promise<Principal | null> {
    const key = this.#extract(headersOrKey);
    if (key === null) return Promise.resolve(null);
    const hash = this.#keys.hashKey(key);
    const known = this.#recall(hash);
    if (known !== undefined) return Promise.resolve(known);
    // Requests that come together share one look at the storage.
    const underWay = this.#lookups.get(hash);
    if (underWay !== undefined) return underWay;
    const lookup = this.#lookUp(key, hash).finally(() => {
      if (this.#lookups.get(hash) === lookup) this.#lookups.delete(hash);
    });
    this.#lookups.set(hash, lookup);
    return lookup;
  }

  isFamiliar(key: string): boolean {
    return key.length <= MAX_KEY_LENGTH && this.#familiar.has(this.#keys.hashKey(key));
  }

  invalidate(keyId: string): void {
    this.#generation++;
    this.#lookups.clear();
    const hash = this.#hashesByKeyId.get(keyId);
    if (hash !== undefined) this.#forget(hash);
  }

  #extract(headersOrKey: Headers | string): string | null {
    const key = typeof headersOrKey === "string" ? headersOrKey : this.#keys.extractKey(headersOrKey);
    return key === null || key === "" || key.length > MAX_KEY_LENGTH ? null : key;
  }

  #recall(hash: string): Principal | undefined {
    const entry = this.#entries.get(hash);
    if (entry === undefined) return undefined;
    if (this.#now() < entry.untilMs) return entry.principal;
    this.#forget(hash);
    return undefined;
  }

  async #lookUp(key: string, hash: string): Promise<Principal | null> {
    const generation = this.#generation;
    const startedAt = this.#now();
    const result = await this.#keys.verify(key);
    this.#familiar.delete(hash);
    if (!result.valid) {
      if (result.errorCode === "STORAGE_ERROR") throw new AuthUnavailableError();
      return null;
    }
    this.#familiar.add(hash);
    if (this.#familiar.size > this.#maxEntries) {
      const oldest = this.#familiar.keys().next();
      if (oldest.done !== true) this.#familiar.delete(oldest.value);
    }
    const principal = this.#toPrincipal(result.record);
    if (generation === this.#generation) this.#remember(hash, principal, result.record, startedAt);
    return principal;
  }

  #toPrincipal({ id, metadata }: ApiKeyRecord): Principal {
    const { ownerId, scopes = [], resources, limits } = metadata;
    return Object.freeze({
      identity: Object.freeze({ id: ownerId, scopes, ...(resources === undefined ? {} : { resources }) }),
      orgId: metadata.orgId ?? this.#defaultOrgId,
      keyId: id,
      keyName: metadata.name ?? null,
      ...(limits !== undefined && { limits }),
    });
  }

  #remember(hash: string, principal: Principal, record: ApiKeyRecord, startedAt: number): void {
    // From the start of the look: what it saw may be as old as that.
    const ttlEnd = startedAt + this.#ttlMs;
    const expiresAt = record.metadata.expiresAt;
    const untilMs = expiresAt === null || expiresAt === undefined ? ttlEnd : Math.min(ttlEnd, Date.parse(expiresAt));
    this.#entries.set(hash, { principal, untilMs });
    this.#hashesByKeyId.set(record.id, hash);
    if (this.#entries.size <= this.#maxEntries) return;
    const oldest = this.#entries.keys().next();
    if (oldest.done !== true) this.#forget(oldest.value);
  }

  #forget(hash: string): void {
    const entry = this.#entries.get(hash);
    if (entry === undefined) return;
    this.#entries.delete(hash);
    this.#hashesByKeyId.delete(entry.principal.keyId);
  }
}
