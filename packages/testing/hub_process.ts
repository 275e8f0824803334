import {
  type CommitResult,
  type DispatchedCall,
  Engine,
  type EventLog,
  type FunctionSource,
  type RunEvent,
} from "@alkdev/engine";
import {
  acquireMemoryLease,
  createMemoryLog,
  createMemoryPlanStore,
  type MemoryStore,
  type VirtualClock,
} from "@alkdev/engine/memory";
import type { ResponseEnvelope } from "@alkdev/operations";
import type { Faults } from "./fault.ts";

/** What survives a hub process. */
export interface ProcessWorld {
  readonly store: MemoryStore;
  readonly clock: VirtualClock;
  readonly faults: Faults;
  readonly functions: FunctionSource;
  readonly random: () => number;
  dispatch(process: HubProcess, call: DispatchedCall): Promise<ResponseEnvelope>;
  /** Something has happened. */
  changed(): void;
  /** A crash point has been reached. */
  crash(process: HubProcess): void;
}

const NEVER: Promise<never> = new Promise(() => {});
const LEASE_MS = 1e15; // it is taken over by the next process of the same hub, never for being late

/** One life of the hub: an engine that, once killed, neither writes nor hears nor is heard any more. */
export class HubProcess {
  readonly engine: Engine;
  /** Resolves when it is killed. */
  readonly killed: Promise<void>;
  readonly #world: ProcessWorld;
  #die: () => void = () => {};
  readonly #lease: ReturnType<typeof acquireMemoryLease>;
  #alive = true;

  constructor(world: ProcessWorld) {
    this.#world = world;
    const { store, clock, functions, random } = world;
    this.killed = new Promise((resolve) => void (this.#die = resolve));
    this.#lease = acquireMemoryLease(store, { hubId: "test", ttlMs: LEASE_MS, now: () => clock.now() });
    this.engine = new Engine({
      log: this.#mortal(createMemoryLog(store, this.#lease)),
      plans: createMemoryPlanStore(store),
      functions,
      dispatcher: { dispatch: (call) => this.#dispatch(call) },
      clock: this,
      ids: {
        runId: () => `run-${store.runs.size + 1}`,
        requestId: (runId, key, attempt) => `${runId}/${key}/${attempt}`,
      },
      random,
      onCommitted: () => world.changed(),
    });
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** As `kill -9`: whatever it was about to do, it does not. */
  kill(): void {
    this.#alive = false;
    this.#die();
  }

  /** Takes up every run that an earlier process left. */
  async recover(): Promise<void> {
    for (const runId of await this.#lease.claim(Infinity)) await this.engine.adopt(runId);
  }

  now(): number {
    return this.#world.clock.now();
  }

  at(due: number, callback: () => void): () => void {
    return this.#world.clock.at(due, () => this.#alive && callback());
  }

  afterTurn(callback: () => void): void {
    this.#world.clock.afterTurn(() => this.#alive && callback());
  }

  async #dispatch(call: DispatchedCall): Promise<ResponseEnvelope> {
    try {
      const answer = await this.#world.dispatch(this, call);
      return this.#alive ? answer : await NEVER;
    } catch (error) {
      if (!this.#alive) return await NEVER;
      throw error;
    }
  }

  #mortal(log: EventLog): EventLog {
    const commit = async (batch: readonly RunEvent[]): Promise<CommitResult> => {
      if (!this.#alive || this.#crashes("before", batch)) return await NEVER;
      const result = await log.commit(batch);
      return this.#crashes("after", batch) ? await NEVER : result;
    };
    return { commit, read: (params) => log.read(params) };
  }

  #crashes(when: "before" | "after", batch: readonly RunEvent[]): boolean {
    if (!this.#world.faults.reached(when, batch)) return false;
    this.#world.crash(this);
    return true;
  }
}
