import type { Clock } from "./ports.ts";

/** The timers of one run by node key. One alone, as most runs have, needs no collection: it may last for months. */
export class RunTimers {
  readonly #clock: Clock;
  #onlyKey: string | null = null;
  #cancelOnly: (() => void) | null = null;
  /** Beside that one; null: none. */
  #more: Map<string, () => void> | null = null;

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
    if (this.#onlyKey === null) {
      this.#onlyKey = key;
      this.#cancelOnly = cancel;
    } else (this.#more ??= new Map()).set(key, cancel);
  }

  disarm(key: string): void {
    if (this.#onlyKey === key) this.#cancelOnly?.();
    else if (this.#more !== null) this.#more.get(key)?.();
    else return;
    this.#forget(key);
  }

  stop(): void {
    this.#cancelOnly?.();
    for (const cancel of this.#more?.values() ?? []) cancel();
    this.#onlyKey = this.#cancelOnly = this.#more = null;
  }

  #forget(key: string): void {
    if (this.#onlyKey === key) this.#onlyKey = this.#cancelOnly = null;
    else if (this.#more !== null) {
      this.#more.delete(key);
      if (this.#more.size === 0) this.#more = null;
    }
  }
}
