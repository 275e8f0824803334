import type { ApiKeyMetadata, ApiKeyRecord } from "./api_key_record.ts";
import type { Cache } from "./cache.ts";
import { isExpired } from "./expiry.ts";
import type { KeyHasher } from "./hash_key.ts";
import type { Storage } from "./storage.ts";
import { refuse, type VerifyResult } from "./verify_result.ts";

/** What a verifier works with. */
export interface VerifierParts {
  readonly storage: Storage;
  readonly hasher: KeyHasher;
  readonly cache: Cache | null;
  readonly cacheTtlSeconds: number;
  readonly revokedKeyTtlSeconds: number;
  readonly prefix: string;
  readonly now: () => number;
}

/**
 * Looks keys up. The order of its checks is a contract: missing, prefix, cache, storage, expired, revoked, disabled.
 * A cache entry only finds the record's id, or refuses a revoked key outright: state is read from the storage each time.
 */
export class Verifier {
  readonly #parts: VerifierParts;

  constructor(parts: VerifierParts) {
    this.#parts = parts;
  }

  async verify(key: string | null, skipCache: boolean): Promise<VerifyResult> {
    if (key === null || key === "") return refuse("MISSING_KEY");
    if (!key.startsWith(this.#parts.prefix)) return refuse("INVALID_FORMAT");
    const hash = this.#parts.hasher.hash(key);
    try {
      const record = await this.#find(hash, skipCache);
      if (record === "revoked") return refuse("REVOKED");
      if (record === null) return refuse("INVALID_KEY");
      return this.#judge(record);
    } catch {
      // A key that cannot be looked up is not valid; the storage's own message may hold addresses.
      return refuse("STORAGE_ERROR");
    }
  }

  /** Makes later cached looks at the key see `metadata`. A broken cache fails no change: entries are bounded by their TTL. */
  async remember(record: ApiKeyRecord, metadata: ApiKeyMetadata): Promise<void> {
    const { cache } = this.#parts;
    if (cache === null) return;
    try {
      if (isSet(metadata.revokedAt)) {
        await cache.set(cacheKey(record.keyHash), REVOKED, this.#parts.revokedKeyTtlSeconds);
      } else await cache.del(cacheKey(record.keyHash));
    } catch { /* see above */ }
  }

  /** Forgets what is cached about a hash. */
  async forget(keyHash: string): Promise<void> {
    await this.#parts.cache?.del(cacheKey(keyHash));
  }

  async #find(hash: string, skipCache: boolean): Promise<ApiKeyRecord | "revoked" | null> {
    const { storage, cache, cacheTtlSeconds } = this.#parts;
    if (cache === null || skipCache) return await storage.findByHash(hash);
    const cached = await readQuietly(cache, hash);
    if (cached === REVOKED) return "revoked";
    if (cached !== null) {
      const record = await storage.findById(cached);
      if (record?.keyHash === hash) return record;
    }
    const record = await storage.findByHash(hash);
    if (record !== null && !isSet(record.metadata.revokedAt)) {
      await writeQuietly(cache, hash, record.id, cacheTtlSeconds);
    }
    return record;
  }

  #judge(record: ApiKeyRecord): VerifyResult {
    const { metadata } = record;
    if (isExpired(metadata.expiresAt, this.#parts.now())) return refuse("EXPIRED");
    if (isSet(metadata.revokedAt)) return refuse("REVOKED");
    if (metadata.enabled === false) return refuse("DISABLED");
    return { valid: true, record };
  }
}

/** Not a possible record id: ids are 21 characters without "!". */
const REVOKED = "!revoked";

function cacheKey(keyHash: string): string {
  return `apikey:${keyHash}`;
}

function isSet(instant: string | null | undefined): boolean {
  return instant !== null && instant !== undefined;
}

async function readQuietly(cache: Cache, hash: string): Promise<string | null> {
  try {
    return await cache.get(cacheKey(hash));
  } catch {
    return null;
  }
}

async function writeQuietly(cache: Cache, hash: string, value: string, ttlSeconds: number): Promise<void> {
  try {
    await cache.set(cacheKey(hash), value, ttlSeconds);
  } catch { /* The next look reads the storage. */ }
}
