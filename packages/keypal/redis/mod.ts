/** Keys in Redis: a storage and a cache, over an ioredis connection of the host's. @module */
export { RedisCache } from "./redis_cache.ts";
export type { RedisCacheClient, RedisClientLike, RedisStorageClient } from "./redis_client_like.ts";
export { RedisStorage, type RedisStorageOptions } from "./redis_storage.ts";
