import type { AuditContext } from "./audit_log.ts";
import type { Cache } from "./cache.ts";
import type { ExtractOptions } from "./extract_key.ts";
import type { KeyFormat } from "./generate_key.ts";
import type { HashAlgorithm } from "./hash_key.ts";
import type { RedisClientLike } from "./redis/redis_client_like.ts";
import type { Storage } from "./storage.ts";

/** How keys are made, kept and found. Times in seconds. */
export interface ApiKeyManagerConfig extends KeyFormat, ExtractOptions {
  /** Default `sha256`. */
  readonly algorithm?: HashAlgorithm;
  /** Changing it makes every stored key unknown. */
  readonly salt?: string;
  /** Default `memory`. */
  readonly storage?: Storage | "memory" | "redis";
  /** True: in this process. Default none. */
  readonly cache?: Cache | boolean | "redis";
  /** A connection of ioredis, for `storage` or `cache` that are `"redis"`. */
  readonly redis?: RedisClientLike;
  /** Stands before all that is kept in it; default `{keypal}:`. An addition to the published package. */
  readonly redisPrefix?: string;
  /** Default 60. */
  readonly cacheTtl?: number;
  /** How long a revocation is kept in the cache; default 604,800. */
  readonly revokedKeyTtl?: number;
  /** Whether `verify` stores when a key was last used; default true. */
  readonly autoTrackUsage?: boolean;
  /** Least time between two such writes of one key; default 60. */
  readonly usageInterval?: number;
  /** Default false. */
  readonly auditLogs?: boolean;
  /** Merged into every audit log. */
  readonly auditContext?: AuditContext;
  /** Ms since the epoch; default `Date.now`. */
  readonly now?: () => number;
}
