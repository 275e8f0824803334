import type { Storage } from "./storage.ts";

/**
 * Stores when keys were last used, without making a request wait. At most one write a key in each interval: a busy key must
 * not become a write per request.
 */
export class UsageTracker {
  readonly #storage: Storage;
  readonly #intervalMs: number;
  readonly #now: () => number;
  readonly #written = new Map<string, number>();
  readonly #underWay = new Set<Promise<void>>();

  constructor(storage: Storage, intervalMs: number, now: () => number) {
    this.#storage = storage;
    this.#intervalMs = intervalMs;
    this.#now = now;
  }

  /** Notes a use now. Failures are dropped: they must not fail the request that was right. */
  used(id: string): void {
    const now = this.#now();
    const last = this.#written.get(id);
    if (last !== undefined && now - last < this.#intervalMs) return;
    this.#written.set(id, now);
    const write = this.#storage.updateMetadata(id, { lastUsedAt: new Date(now).toISOString() }).catch(() => {
      this.#written.delete(id);
    }).finally(() => this.#underWay.delete(write));
    this.#underWay.add(write);
  }

  /** Resolves when no write is under way. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }
}
