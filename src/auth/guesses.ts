/** Who has tried wrong keys, by address and by the start of the key. Bounded: past `maxEntries` the oldest is forgotten. */
export class Guesses {
  readonly #counts = new Map<string, { count: number; untilMs: number }>();
  readonly #now: () => number;
  readonly #maxEntries: number;

  constructor(options: { readonly now?: () => number; readonly maxEntries?: number } = {}) {
    this.#now = options.now ?? Date.now;
    this.#maxEntries = options.maxEntries ?? 20_000;
  }

  /** How long nothing more may be tried, in ms; 0: now. */
  waitMs({ address, key }: Attempt): number {
    const start = startOf(key);
    return Math.max(
      address === null ? 0 : this.#waitOf(`a:${address}`, PER_ADDRESS),
      start === null ? 0 : this.#waitOf(`k:${start}`, PER_START),
    );
  }

  /** Counts a key that was wrong. */
  wrong({ address, key }: Attempt): void {
    if (address !== null) this.#count(`a:${address}`);
    const start = startOf(key);
    if (start !== null) this.#count(`k:${start}`);
  }

  #waitOf(name: string, limit: number): number {
    const entry = this.#counts.get(name);
    return entry === undefined || entry.count < limit ? 0 : Math.max(0, entry.untilMs - this.#now());
  }

  #count(name: string): void {
    const now = this.#now();
    const entry = this.#counts.get(name);
    if (entry !== undefined && entry.untilMs > now) {
      entry.count++;
      // Who goes on is forgotten last.
      this.#counts.delete(name);
      this.#counts.set(name, entry);
      return;
    }
    this.#counts.delete(name);
    this.#counts.set(name, { count: 1, untilMs: now + WINDOW_MS });
    if (this.#counts.size <= this.#maxEntries) return;
    const oldest = this.#counts.keys().next();
    if (oldest.done !== true) this.#counts.delete(oldest.value);
  }
}

/** A key that was tried, and from where; null: not known. */
export interface Attempt {
  readonly address: string | null;
  readonly key: string;
}

const WINDOW_MS = 60_000;
/** Wrong keys of one address a minute. */
const PER_ADDRESS = 100;
/** Wrong keys that start alike a minute, from wherever: who guesses the rest of a key that was seen in part. */
const PER_START = 20;

/**
 * Far fewer characters than would be a secret; the prefix that all keys have is four of them. Null for access tokens: they all
 * start alike, and one guesser would shut everybody out.
 */
function startOf(key: string): string | null {
  return key.includes(".") ? null : key.slice(0, 10);
}
