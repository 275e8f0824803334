import type { Clock } from "../../engine/ports.ts";
import { backoffMs } from "./backoff.ts";
import { unavailable } from "./unavailable.ts";

const FAILURES_TO_OPEN = 5;

/**
 * Spares a service that fails. Five failures in a row open it: calls are refused without being sent, until the wait is over;
 * then one call is let through, whose outcome closes it, or opens it for longer.
 */
export class Circuit {
  readonly #client: string;
  readonly #clock: Clock;
  readonly #random: () => number;
  #failures = 0;
  #openUntil = 0;
  #isProbing = false;

  constructor(client: string, clock: Clock, random: () => number) {
    this.#client = client;
    this.#clock = clock;
    this.#random = random;
  }

  get state(): "closed" | "open" | "half-open" {
    if (this.#failures < FAILURES_TO_OPEN) return "closed";
    return this.#clock.now() < this.#openUntil ? "open" : "half-open";
  }

  /** Null while it is closed. */
  get openUntil(): number | null {
    return this.state === "closed" ? null : this.#openUntil;
  }

  /** Before each call. @throws {CallError} `UNAVAILABLE` */
  enter(): void {
    const state = this.state;
    if (state === "closed") return;
    if (state === "half-open" && !this.#isProbing) return void (this.#isProbing = true);
    const waitMs = this.#openUntil - this.#clock.now();
    throw unavailable(this.#client, "down", `its last ${this.#failures} calls failed`, Math.max(waitMs, 250));
  }

  succeeded(): void {
    this.#failures = 0;
    this.#isProbing = false;
  }

  failed(): void {
    this.#isProbing = false;
    if (++this.#failures < FAILURES_TO_OPEN) return;
    this.#openUntil = this.#clock.now() + backoffMs(this.#failures - FAILURES_TO_OPEN + 1, this.#random);
  }

  /** The call was given up by its caller: it says nothing about the service. */
  left(): void {
    this.#isProbing = false;
  }
}
