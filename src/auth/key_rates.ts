/** What a key may do a minute; absent: as much as it likes. */
export interface KeyLimits {
  /** Requests of any kind; over MCP each message, over a socket each call. */
  readonly requests?: number;
  /** Runs that it starts. */
  readonly starts?: number;
}

export type RateKind = keyof KeyLimits;

/** Part of a key's minute that one hub may use up by itself. */
export interface RateLease {
  /** At most what was wanted; 0: the minute is used up. */
  readonly granted: number;
  /** Of the minute so far, by all hubs. */
  readonly used: number;
  /** Until the minute is over. */
  readonly leftMs: number;
}

/** Counts by key, kind and minute, shared by all hubs. What it grants in one minute is never more than `limit`. */
export interface RateStore {
  take(
    params: { readonly keyId: string; readonly kind: RateKind; readonly want: number; readonly limit: number },
  ): Promise<RateLease>;
}

/** How much of its minute a key has left, as this hub knows. */
export interface RateState {
  readonly limit: number;
  readonly remaining: number;
  /** Until the minute is over. */
  readonly resetMs: number;
  readonly admitted: boolean;
}

interface Share {
  left: number;
  used: number;
  untilMs: number;
  isSpent: boolean;
  asking: Promise<void> | null;
}

/** Of a minute's limit that a hub takes at a time: the fewer, the less another hub misses at the end of a minute. */
const SHARE = 0.05;
const MAX_SHARES = 10_000;

/**
 * Per-key limits of a minute, exact across hubs: each takes small leases of the shared count and uses these up in memory. Never
 * more than the limit in a minute of the store's clock, and so never more than twice the limit in any 60 seconds; what other
 * hubs have leased and not used may be missing at the end of a minute: 5 % of the limit (one, where that is less) a hub.
 */
export class KeyRates {
  readonly #store: RateStore;
  readonly #now: () => number;
  readonly #shares = new Map<string, Share>();

  constructor(store: RateStore, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  /** Takes one. Null: this key has no such limit, which costs a look at a field. */
  async take({ keyId, limits }: RatedKey, kind: RateKind): Promise<RateState | null> {
    const limit = limits?.[kind];
    if (limit === undefined) return null;
    const share = this.#shareOf(`${kind}:${keyId}`);
    for (;;) {
      if (this.#now() >= share.untilMs) this.#renew(share);
      if (share.left > 0) {
        share.left--;
        return this.#state(share, limit, true);
      }
      if (share.isSpent) return this.#state(share, limit, false);
      share.asking ??= this.#ask(share, keyId, kind, limit);
      await share.asking;
    }
  }

  async #ask(share: Share, keyId: string, kind: RateKind, limit: number): Promise<void> {
    const askedAt = this.#now();
    try {
      const want = Math.max(1, Math.floor(limit * SHARE));
      const { granted, used, leftMs } = await this.#store.take({ keyId, kind, want, limit });
      share.left = granted;
      share.used = used;
      // From when it was asked: the minute ends no later than that.
      share.untilMs = askedAt + leftMs;
      share.isSpent = granted === 0;
    } finally {
      share.asking = null;
    }
  }

  #renew(share: Share): void {
    share.left = 0;
    share.isSpent = false;
    share.untilMs = Infinity;
  }

  #state(share: Share, limit: number, admitted: boolean): RateState {
    const remaining = admitted ? Math.max(0, limit - share.used) + share.left : 0;
    return { limit, remaining, resetMs: Math.max(0, share.untilMs - this.#now()), admitted };
  }

  #shareOf(key: string): Share {
    const known = this.#shares.get(key);
    if (known !== undefined) return known;
    const share: Share = { left: 0, used: 0, untilMs: 0, isSpent: false, asking: null };
    this.#shares.set(key, share);
    if (this.#shares.size > MAX_SHARES) {
      const oldest = this.#shares.keys().next();
      if (oldest.done !== true) this.#shares.delete(oldest.value);
    }
    return share;
  }
}

/** A key as it is counted. */
export interface RatedKey {
  readonly keyId: string;
  readonly limits?: KeyLimits;
}

/** In this process: for tests, and the reference for stores that hubs share. */
export function memoryRateStore(now: () => number = Date.now): RateStore {
  const counts = new Map<string, { minute: number; used: number }>();
  return {
    take({ keyId, kind, want, limit }) {
      const at = now();
      const minute = Math.floor(at / 60_000);
      const known = counts.get(`${kind}:${keyId}`);
      const before = known?.minute === minute ? known.used : 0;
      const used = Math.max(before, Math.min(limit, before + want));
      counts.set(`${kind}:${keyId}`, { minute, used });
      return Promise.resolve({ granted: used - before, used, leftMs: (minute + 1) * 60_000 - at });
    },
  };
}
