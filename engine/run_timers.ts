import type { Clock } from "./ports.ts";

/** The timers of one run by node key. Holds nothing while there is none. */
export class RunTimers {
  readonly #clock: Clock;
  #timers: Map<string, () => void> | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sets the timer of `key`, replacing an earlier one. */
  arm(key: string, due: number, callback: () => void): void {
    this.disarm(key);
    const cancel = this.#clock.at(due, () => {
      this.#forget(key);
      callback();
    });
    (this.#timers ??= new Map()).set(key, cancel);
  }

  disarm(key: string): void {
    if (this.#timers === null) return;
    this.#timers.get(key)?.();
    this.#forget(key);
  }

  stop(): void {
    for (const cancel of this.#timers?.values() ?? []) cancel();
    this.#timers = null;
  }

  #forget(key: string): void {
    this.#timers?.delete(key);
    if (this.#timers?.size === 0) this.#timers = null;
  }
}
