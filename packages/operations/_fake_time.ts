interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** Replaces `Date.now`, `setTimeout` and `clearTimeout` until disposed. For tests. */
export class FakeTime implements Disposable {
  #now: number;
  #nextId = 1;
  readonly #timers = new Map<number, Timer>();
  readonly #real = { now: Date.now, setTimeout, clearTimeout };

  constructor(now: number) {
    this.#now = now;
    Date.now = () => this.#now;
    Object.assign(globalThis, {
      setTimeout: (callback: () => void, delay = 0) => {
        const id = this.#nextId++;
        this.#timers.set(id, { due: this.#now + delay, callback });
        return id;
      },
      clearTimeout: (id: number) => void this.#timers.delete(id),
    });
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves on, and fires what is due on the way in its order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    while (true) {
      const [next] = [...this.#timers].filter(([, { due }]) => due <= end).toSorted(([, a], [, b]) => a.due - b.due);
      if (next === undefined) break;
      const [id, { due, callback }] = next;
      this.#timers.delete(id);
      this.#now = Math.max(this.#now, due);
      callback();
    }
    this.#now = end;
  }

  [Symbol.dispose](): void {
    Date.now = this.#real.now;
    Object.assign(globalThis, { setTimeout: this.#real.setTimeout, clearTimeout: this.#real.clearTimeout });
  }
}
