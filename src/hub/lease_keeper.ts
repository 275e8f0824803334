import { type Engine, FencedError, type Ownership } from "../../engine/mod.ts";
import type { LeaseGuard } from "./lease_guard.ts";

/** Runs claimed in one transaction at most. */
const CLAIM_BATCH = 200;

export interface LeaseKeeperOptions {
  readonly lease: Pick<Ownership, "claim">;
  readonly guard: Pick<LeaseGuard, "renew">;
  readonly engine: Engine;
  readonly renewEveryMs: number;
  readonly claimEveryMs: number;
  readonly onFenced: (error: unknown) => void;
  readonly onError: (message: string, error: unknown) => void;
}

/** Keeps this hub's lease, and takes up runs whose hub is gone. */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  #timers: number[] = [];
  #claiming: Promise<number> | null = null;
  /** Claimed, but not taken up: a template's functions are missing, a read failed. Tried again with each sweep. */
  readonly #stuck: Set<string> = new Set();
  #stopped = false;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  start(): void {
    const every = (ms: number, work: () => Promise<unknown>) => setInterval(() => void work(), ms) as unknown as number;
    this.#timers = [
      every(this.#options.renewEveryMs, () => this.#renew()),
      every(this.#options.claimEveryMs, () => this.claim().catch(() => {})),
    ];
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** Claims until nothing is left; gives how many runs were taken up. One sweep at a time. */
  claim(): Promise<number> {
    return this.#claiming ??= this.#sweep().finally(() => this.#claiming = null);
  }

  async #sweep(): Promise<number> {
    const { lease, onError, onFenced } = this.#options;
    let adopted = 0;
    try {
      adopted += await this.#adopt([...this.#stuck]);
      while (!this.#stopped) {
        const claimed = await lease.claim(CLAIM_BATCH);
        adopted += await this.#adopt(claimed);
        if (claimed.length < CLAIM_BATCH) break;
      }
    } catch (error) {
      if (error instanceof FencedError) onFenced(error);
      else onError("Runs of other hubs cannot be claimed", error);
    }
    return adopted;
  }

  /** Takes runs up, side by side; gives how many. What cannot be is told of once. */
  async #adopt(runIds: readonly string[]): Promise<number> {
    const { engine, onError } = this.#options;
    const taken = await Promise.all(runIds.map(async (runId) => {
      try {
        const adopted = await engine.adopt(runId);
        this.#stuck.delete(runId);
        return adopted;
      } catch (error) {
        if (!this.#stuck.has(runId)) onError(`Run ${runId} cannot be taken up now and is tried again`, error);
        this.#stuck.add(runId);
        return false;
      }
    }));
    return taken.filter(Boolean).length;
  }

  async #renew(): Promise<void> {
    try {
      await this.#options.guard.renew();
    } catch (error) {
      if (error instanceof FencedError) this.#options.onFenced(error);
      else this.#options.onError("The lease cannot be renewed", error);
    }
  }
}
