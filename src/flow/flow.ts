import { CallError } from "@alkdev/operations";
import type { KnownRules } from "./flow_rules.ts";
import type { Flow, FlowLimit, FlowStore, Hold, KeyView } from "./ports.ts";

/** Tickets of one key that are shown at most. */
const MAX_TICKETS = 1_000;

type Params<Method extends keyof Flow> = Parameters<Flow[Method]>[0];
type Result<Method extends keyof Flow> = ReturnType<Flow[Method]>;

/** The use cases over a store. A change is known to this hub when it returns, to others within a second. */
export function createFlow(store: FlowStore, rules: KnownRules, changed: () => void = () => {}): Flow {
  return new FlowUseCases(store, rules, changed);
}

class FlowUseCases implements Flow {
  readonly #store: FlowStore;
  readonly #rules: KnownRules;
  readonly #changed: () => void;

  constructor(store: FlowStore, rules: KnownRules, changed: () => void) {
    this.#store = store;
    this.#rules = rules;
    this.#changed = changed;
  }

  async limits({ orgId }: Params<"limits">): Result<"limits"> {
    return (await this.#store.rules()).limits.filter((limit) => limit.orgId === orgId);
  }

  async setLimit({ caller, key, concurrency, rate }: Params<"setLimit">): Result<"setLimit"> {
    if (concurrency === undefined && rate === undefined) {
      const message = `Limit of "${key}" says nothing: give "concurrency", "rate" or both`;
      throw new CallError("VALIDATION_ERROR", message, { errors: [{ path: "", message }] });
    }
    const limit = await this.#store.setLimit({
      orgId: caller.orgId,
      key,
      concurrency: concurrency ?? null,
      rate: rate ?? null,
      updatedBy: caller.identity.id,
    });
    await this.#refresh();
    return limit;
  }

  async removeLimit({ caller, key }: Params<"removeLimit">): Result<"removeLimit"> {
    if (!await this.#store.removeLimit({ orgId: caller.orgId, key })) {
      throw new CallError("LIMIT_NOT_FOUND", `There is no limit of "${key}"`, { key });
    }
    await this.#refresh();
  }

  async holds({ orgId }: Params<"holds">): Result<"holds"> {
    return (await this.#store.rules()).holds.filter((hold) => hold.orgId === orgId);
  }

  async addHold({ caller, kind, name, reason }: Params<"addHold">): Promise<Hold> {
    const hold = await this.#store.addHold({
      orgId: caller.orgId,
      kind,
      name,
      reason: reason ?? null,
      createdBy: caller.identity.id,
    });
    await this.#refresh();
    return hold;
  }

  async removeHold({ caller, id }: Params<"removeHold">): Result<"removeHold"> {
    if (await this.#store.removeHold({ orgId: caller.orgId, id }) === null) {
      throw new CallError("HOLD_NOT_FOUND", `There is no hold "${id}"`, { id });
    }
    await this.#refresh();
  }

  async keys(caller: Params<"keys">): Result<"keys"> {
    const used = await this.#store.keys({ orgId: caller.orgId });
    const idle = (await this.limits(caller)).filter(({ key }) => used.every((one) => one.key !== key)).map(idleKey);
    return [...used, ...idle].sort((a, b) => a.key < b.key ? -1 : 1);
  }

  async key({ caller, key }: Params<"key">): Result<"key"> {
    const { orgId } = caller;
    const tickets = await this.#store.tickets({ orgId, key, limit: MAX_TICKETS });
    const view = (await this.keys(caller)).find((one) => one.key === key);
    if (view !== undefined) return { ...view, tickets };
    throw new CallError("KEY_NOT_IN_USE", `Nothing holds or waits for "${key}", and it has no limit`, { key });
  }

  async #refresh(): Promise<void> {
    await this.#rules.refresh();
    this.#changed();
  }
}

function idleKey({ key, concurrency, rate }: FlowLimit): KeyView {
  return { key, running: 0, waiting: 0, concurrency, rate };
}
