import type { Clock } from "../ports.ts";

/** A clock that moves only when told to. Turns end with the microtask queue, so nothing waits for real time. */
export class VirtualClock implements Clock {
  #now: number;
  #next = 0;
  readonly #timers: Map<number, { due: number; callback: () => void }> = new Map();

  constructor(start: number = 1_700_000_000_000) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  at(due: number, callback: () => void): () => void {
    const id = this.#next++;
    this.#timers.set(id, { due, callback });
    return () => void this.#timers.delete(id);
  }

  afterTurn(callback: () => void): void {
    setImmediate(callback);
  }

  /** When the next timer is due; null without one. */
  nextDue(): number | null {
    let due: number | null = null;
    for (const timer of this.#timers.values()) if (due === null || timer.due < due) due = timer.due;
    return due;
  }

  /** Moves time forward, firing what falls due in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = this.nextDue();
      if (due === null || due > end) break;
      this.#now = Math.max(this.#now, due);
      for (const [id, timer] of [...this.#timers]) {
        if (timer.due <= this.#now && this.#timers.delete(id)) timer.callback();
      }
    }
    this.#now = end;
  }
}

// Node and Deno both have it as a global; a virtual clock must not depend on node:timers to stay runtime-agnostic.
declare function setImmediate(callback: () => void): unknown;
