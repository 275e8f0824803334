/** Failures that are answered as such, and counted, before they are only turned away. */
const BURST = 20;
const PER_MINUTE = 20;
const MAX_TRACKED = 10_000;

/** A token bucket for each key, of what fails: who succeeds is never held up by who does not. */
export class FailureLimit {
  readonly #now: () => number;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes a token; false: there is none. */
  take(key: string): boolean {
    const now = this.#now();
    const bucket = this.#buckets.get(key) ?? { tokens: BURST, at: now };
    const tokens = Math.min(BURST, bucket.tokens + (now - bucket.at) * PER_MINUTE / 60_000);
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now });
    if (this.#buckets.size > MAX_TRACKED) {
      const oldest = this.#buckets.keys().next();
      if (oldest.done !== true) this.#buckets.delete(oldest.value);
    }
    return tokens >= 1;
  }
}
