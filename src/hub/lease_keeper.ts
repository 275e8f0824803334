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
    const { lease, engine, onError, onFenced } = this.#options;
    let adopted = 0;
    try {
      while (!this.#stopped) {
        const claimed = await lease.claim(CLAIM_BATCH);
        const taken = await Promise.all(claimed.map((runId) =>
          engine.adopt(runId).catch((error) => {
            onError(`Run ${runId} cannot be taken up`, error);
            return false;
          })
        ));
        adopted += taken.filter(Boolean).length;
        if (claimed.length < CLAIM_BATCH) break;
      }
    } catch (error) {
      if (error instanceof FencedError) onFenced(error);
      else onError("Runs of other hubs cannot be claimed", error);
    }
    return adopted;
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
