const MAX_ENTRIES = 10_000;

interface Entry<Value> {
  value: Promise<Value>;
  at: number;
  isRefreshing: boolean;
}

/**
 * What was read not long ago. A value older than `softMs` is read again behind the back of whoever asks; one older than `hardMs`
 * is waited for. A read that fails is not kept, and fails whoever waits for it.
 */
export class FreshMap<Value> {
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #load: (key: string) => Promise<Value>;
  readonly #now: () => number;
  readonly #softMs: number;
  readonly #hardMs: number;

  constructor(
    load: (key: string) => Promise<Value>,
    options: { readonly now: () => number; readonly softMs?: number; readonly hardMs?: number },
  ) {
    this.#load = load;
    this.#now = options.now;
    this.#softMs = options.softMs ?? 400;
    this.#hardMs = options.hardMs ?? 900;
  }

  get(key: string): Promise<Value> {
    const now = this.#now();
    const entry = this.#entries.get(key);
    if (entry === undefined || now - entry.at >= this.#hardMs) return this.#read(key, now);
    if (now - entry.at >= this.#softMs && !entry.isRefreshing) {
      entry.isRefreshing = true;
      const value = this.#load(key);
      value.then(
        () => this.#entries.get(key) === entry && this.#keep(key, value, now),
        () => entry.isRefreshing = false,
      );
    }
    return entry.value;
  }

  forget(key: string): void {
    this.#entries.delete(key);
  }

  #read(key: string, now: number): Promise<Value> {
    const value = this.#load(key);
    this.#keep(key, value, now);
    value.catch(() => this.#entries.get(key)?.value === value && this.#entries.delete(key));
    return value;
  }

  #keep(key: string, value: Promise<Value>, at: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, at, isRefreshing: false });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MAX_ENTRIES && oldest !== undefined) this.#entries.delete(oldest);
  }
}
