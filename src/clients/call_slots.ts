import { CallError } from "@alkdev/operations";

const MAX_WAITING = 1_000;

/** How many calls of one client may be under way at once; the others wait in line. */
export class CallSlots {
  readonly #max: number;
  readonly #waiting = new Set<() => void>();
  #used = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get used(): number {
    return this.#used;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Gives what frees the slot, to be called once.
   *
   * @throws {CallError} `OVERLOADED` when too many wait; what the signal aborts with
   */
  async acquire(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#used < this.#max) this.#used++;
    else await this.#wait(signal);
    return () => this.#free();
  }

  async #wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= MAX_WAITING) {
      throw new CallError("OVERLOADED", `${MAX_WAITING} calls wait for this client already`, { retryAfterMs: 1_000 });
    }
    const turn = Promise.withResolvers<void>();
    const leave = () => {
      this.#waiting.delete(turn.resolve);
      turn.reject(signal.reason);
    };
    this.#waiting.add(turn.resolve);
    signal.addEventListener("abort", leave, { once: true });
    try {
      await turn.promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  /** The slot goes to whoever waits longest: it stays used. */
  #free(): void {
    const [next] = this.#waiting;
    if (next === undefined) return void this.#used--;
    this.#waiting.delete(next);
    next();
  }
}
