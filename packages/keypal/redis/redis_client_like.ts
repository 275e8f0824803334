/** As much of an ioredis connection as the storage uses; a `Redis` is one, and a `Cluster` with a `{…}` in the prefix. */
export interface RedisStorageClient {
  /** Runs a Lua script. The first `keyCount` of `args` are keys. */
  eval(script: string, keyCount: number, ...args: string[]): Promise<unknown>;
}

/** As much of an ioredis connection as the cache uses. */
export interface RedisCacheClient {
  get(key: string): Promise<string | null>;
  set(key: string, value: string, unit: "PX", ms: number): Promise<unknown>;
  del(key: string): Promise<unknown>;
}

/** Both. */
export type RedisClientLike = RedisStorageClient & RedisCacheClient;
