import type { FlowLimit, FlowStore, Hold, HoldKind } from "./ports.ts";

/** Limits and holds as this hub knows them: what the store says, at most as old as the last refresh. */
export class KnownRules {
  readonly #store: Pick<FlowStore, "version" | "rules">;
  #version = 0;
  #limits: ReadonlyMap<string, FlowLimit> = new Map();
  #holds: ReadonlyMap<string, Hold> = new Map();
  #hasForCalls = false;
  readonly #listeners = new Set<() => void>();

  constructor(store: Pick<FlowStore, "version" | "rules">) {
    this.#store = store;
  }

  /** Whether there is a hold, or a limit of an operation, of anybody: without, most calls concern nobody. */
  get hasForCalls(): boolean {
    return this.#hasForCalls;
  }

  limit(orgId: string, key: string): FlowLimit | null {
    return this.#limits.size === 0 ? null : this.#limits.get(JSON.stringify([orgId, key])) ?? null;
  }

  hold(orgId: string, kind: HoldKind, name: string): Hold | null {
    return this.#holds.size === 0 ? null : this.#holds.get(JSON.stringify([orgId, kind, name])) ?? null;
  }

  holds(): Iterable<Hold> {
    return this.#holds.values();
  }

  /** Reads the rules if they have changed. */
  async refresh(): Promise<void> {
    if (await this.#store.version() === this.#version) return;
    const { version, limits, holds } = await this.#store.rules();
    if (version < this.#version) return; // a later refresh was faster
    this.#version = version;
    this.#limits = new Map(limits.map((limit) => [JSON.stringify([limit.orgId, limit.key]), limit]));
    this.#holds = new Map(holds.map((hold) => [JSON.stringify([hold.orgId, hold.kind, hold.name]), hold]));
    this.#hasForCalls = holds.length > 0 || limits.some(({ key }) => key.startsWith("operation:"));
    for (const listener of [...this.#listeners]) listener();
  }

  /** Told after each change. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }
}
