import { type Cache, MemoryCache } from "./cache.ts";
import type { ApiKeyManagerConfig } from "./config.ts";
import { MemoryStorage } from "./memory_storage.ts";
import { RedisCache } from "./redis/redis_cache.ts";
import type { RedisClientLike } from "./redis/redis_client_like.ts";
import { RedisStorage } from "./redis/redis_storage.ts";
import type { Storage } from "./storage.ts";

const REDIS_PREFIX = "{keypal}:";

/** @throws {TypeError} for `"redis"` without a client */
export function storageOf(config: ApiKeyManagerConfig): Storage {
  const { storage = "memory", redisPrefix = REDIS_PREFIX } = config;
  if (storage === "memory") return new MemoryStorage();
  return storage === "redis" ? new RedisStorage({ client: clientOf(config, "storage"), prefix: redisPrefix }) : storage;
}

/** Null: none. @throws {TypeError} for `"redis"` without a client */
export function cacheOf(config: ApiKeyManagerConfig): Cache | null {
  const { cache = false, redisPrefix = REDIS_PREFIX } = config;
  if (cache === false) return null;
  if (cache === true) return new MemoryCache(config.now === undefined ? {} : { now: config.now });
  return cache === "redis" ? new RedisCache(clientOf(config, "cache"), redisPrefix) : cache;
}

function clientOf({ redis }: ApiKeyManagerConfig, field: "storage" | "cache"): RedisClientLike {
  if (redis !== undefined) return redis;
  throw new TypeError(`Cannot make keys as "${field}" is "redis" and "redis" is not given: wanted a connection`);
}
