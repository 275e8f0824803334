import type { DispatchedCall, Dispatcher, Ownership } from "../../engine/mod.ts";
import { FencedError } from "../../engine/mod.ts";

export interface LeaseGuardOptions {
  readonly lease: Ownership;
  readonly ttlMs: number;
  /** Before the lease was acquired, ms since the epoch. */
  readonly acquiredAt: number;
  readonly now: () => number;
  readonly onFenced: (error: unknown) => void;
}

const RETRY_MS = 250;

/**
 * Keeps a hub from acting for runs that may have been taken from it while it stood still (a suspended process, a machine out of
 * memory, a database that is away): past the end of its lease it starts no call before a renewal has told that it still holds it.
 * The fence keeps such a hub from recording anything; this keeps it from having work done a second time.
 */
export class LeaseGuard {
  readonly #options: LeaseGuardOptions;
  readonly #regained = new Set<() => void>();
  /** Nobody can have taken the lease before: ttl after the last renewal was sent off. */
  #heldUntil: number;
  #confirming: Promise<void> | null = null;
  #isStopped = false;

  constructor(options: LeaseGuardOptions) {
    this.#options = options;
    this.#heldUntil = options.acquiredAt + options.ttlMs;
  }

  /** False: not known now; it is being found out. */
  isHeld(): boolean {
    if (this.#options.now() < this.#heldUntil) return true;
    void this.#confirm();
    return false;
  }

  /** Told when the lease is known to be held again. */
  onRegained(listener: () => void): void {
    this.#regained.add(listener);
  }

  /** @throws FencedError */
  async renew(): Promise<void> {
    const { lease, now, ttlMs } = this.#options;
    const at = now();
    const wasHeld = at < this.#heldUntil;
    await lease.renew();
    this.#heldUntil = Math.max(this.#heldUntil, at + ttlMs);
    if (wasHeld) return;
    for (const listener of [...this.#regained]) listener();
  }

  /** Calls that come while it is not known whether the lease is held wait; if it is lost they never start. */
  guard(inner: Dispatcher): Dispatcher {
    const { now } = this.#options;
    return {
      dispatch: (call: DispatchedCall) =>
        now() < this.#heldUntil ? inner.dispatch(call) : this.#confirm().then(() => inner.dispatch(call)),
    };
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Resolves when the lease is known to be held; never when it is lost. */
  #confirm(): Promise<void> {
    return this.#confirming ??= this.#untilHeld().finally(() => this.#confirming = null);
  }

  async #untilHeld(): Promise<void> {
    while (!this.#isStopped) {
      try {
        return await this.renew();
      } catch (error) {
        if (error instanceof FencedError) {
          this.#options.onFenced(error);
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    await new Promise<never>(() => {});
  }
}
