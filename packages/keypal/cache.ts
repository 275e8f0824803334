/** A cache of short strings with a time to live. */
export interface Cache {
  get(key: string): Promise<string | null> | string | null;
  /** `ttlSeconds` may be a fraction. */
  set(key: string, value: string, ttlSeconds: number): Promise<void> | void;
  del(key: string): Promise<void> | void;
}

/** In this process. Bounded: past `maxEntries` the oldest entry goes. */
export class MemoryCache implements Cache {
  readonly #entries = new Map<string, { readonly value: string; readonly until: number }>();
  readonly #maxEntries: number;
  readonly #now: () => number;

  constructor(options: { readonly maxEntries?: number; readonly now?: () => number } = {}) {
    this.#maxEntries = options.maxEntries ?? 10_000;
    this.#now = options.now ?? Date.now;
  }

  get(key: string): string | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    if (entry.until > this.#now()) return entry.value;
    this.#entries.delete(key);
    return null;
  }

  set(key: string, value: string, ttlSeconds: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, until: this.#now() + ttlSeconds * 1000 });
    if (this.#entries.size <= this.#maxEntries) return;
    const oldest = this.#entries.keys().next();
    if (oldest.done !== true) this.#entries.delete(oldest.value);
  }

  del(key: string): void {
    this.#entries.delete(key);
  }
}
