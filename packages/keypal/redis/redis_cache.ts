import type { Cache } from "../cache.ts";
import type { RedisCacheClient } from "./redis_client_like.ts";

/** What the processes that share a Redis know of keys. Redis forgets an entry when its time is over. */
export class RedisCache implements Cache {
  readonly #client: RedisCacheClient;
  readonly #prefix: string;

  /** @param prefix Stands before every key; default nothing. */
  constructor(client: RedisCacheClient, prefix = "") {
    this.#client = client;
    this.#prefix = prefix;
  }

  get(key: string): Promise<string | null> {
    return this.#client.get(this.#prefix + key);
  }

  async set(key: string, value: string, ttlSeconds: number): Promise<void> {
    // Redis refuses a time of 0.
    await this.#client.set(this.#prefix + key, value, "PX", Math.max(1, Math.round(ttlSeconds * 1000)));
  }

  async del(key: string): Promise<void> {
    await this.#client.del(this.#prefix + key);
  }
}
