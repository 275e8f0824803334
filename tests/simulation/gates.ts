/** Flow control in some of the worlds: lines of runs, keys of calls, and what must hold of both (I4, I7). */
import type { Plan } from "@alkdev/flowgraph";
import { type Clock, type DispatchedCall, type FlowGate, isTerminalType, type RunGate } from "../../engine/mod.ts";
import { HubGate, KnownRules, MemoryFlowStore, TicketDesk } from "../../src/flow/mod.ts";
import { Violation } from "./history.ts";
import type { HubProcess } from "./hub_process.ts";
import type { RunModel } from "./model/run_model.ts";
import { Chance } from "./random.ts";
import type { SimulatedWorkflow } from "./workflows.ts";
import type { World } from "./world.ts";

/** Calls of this key, of all runs: one at a time. */
const CALL_KEY = "call";
const RUN_KEY = "run";
const ORG = "org";

export class Gates {
  readonly #world: World;
  /** A stream of its own: worlds without gates are as they were. */
  readonly #chance: Chance;
  readonly store: MemoryFlowStore;
  readonly isOn: boolean;
  readonly #limit: number;
  readonly #desks: Map<HubProcess, TicketDesk> = new Map();

  constructor(world: World, seed: number) {
    this.#world = world;
    this.#chance = new Chance(seed ^ 0x0f10);
    this.isOn = this.#chance.is(0.35);
    this.#limit = this.#chance.int(1, 2);
    this.store = new MemoryFlowStore({
      now: () => world.schedule.now,
      stateOf: (runId) => {
        const last = world.store.runs.get(runId)?.events.at(-1);
        return last === undefined ? "unknown" : isTerminalType(last.type) ? "over" : "live";
      },
      isHub: ({ hubId, epoch }) => world.store.hubs.get(hubId)?.epoch === epoch,
    });
  }

  /** With a concurrency key at some operations, by their own keys: the same in all versions. */
  keyed(workflow: SimulatedWorkflow): SimulatedWorkflow {
    if (!this.isOn) return workflow;
    const variants = workflow.variants.map((variant) => ({ ...variant, plan: keyedPlan(variant.plan) }));
    return { ...workflow, plan: keyedPlan(workflow.plan), variants };
  }

  /** What a new run has to pass, often nothing. */
  draw(now: number): { readonly gate?: RunGate } {
    if (!this.isOn || this.#chance.is(0.5)) return {};
    const startAfter = this.#chance.is(0.3) ? now + this.#chance.int(-50, 800) : null;
    const lines = this.#chance.pick<RunGate["lines"]>([
      [],
      [{ key: RUN_KEY, concurrency: this.#limit }],
      [{ key: RUN_KEY, concurrency: this.#limit, replaces: true }],
      [{ key: "rate", rate: { limit: 2, perMs: 300 } }],
      [
        { key: "debounce", delayMs: 200, maxDelayMs: 500, replaces: true },
        { key: RUN_KEY, concurrency: this.#limit },
      ],
    ]);
    return { gate: { startAfter, lines } };
  }

  /** One hub's gate. Its polls do not keep the world going; its questions may be lost on their way back. */
  of(hub: HubProcess, clock: Clock): FlowGate | undefined {
    if (!this.isOn) return undefined;
    const world = this.#world;
    const ask = <T>(what: () => Promise<T>): Promise<T> =>
      hub.ask(what).then((answer) => {
        if (world.chaos && this.#chance.is(0.05)) throw new Error("The answer was lost");
        return answer;
      });
    const { store } = this;
    const remote = {
      request: (...args: Parameters<MemoryFlowStore["request"]>) => ask(() => store.request(...args)),
      release: (...args: Parameters<MemoryFlowStore["release"]>) => ask(() => store.release(...args)),
      poll: (...args: Parameters<MemoryFlowStore["poll"]>) => ask(() => store.poll(...args)),
      sweep: (...args: Parameters<MemoryFlowStore["sweep"]>) => ask(() => store.sweep(...args)),
    };
    const asleep: Clock = {
      now: () => clock.now(),
      at: (due, callback) => world.schedule.in(due - clock.now(), () => hub.deliver(callback), true),
      afterTurn: (callback) => clock.afterTurn(callback),
    };
    const desk = new TicketDesk({ store: remote, hub, clock: asleep });
    this.#desks.set(hub, desk);
    const gate = new HubGate({ desk, rules: new KnownRules(store), store: remote, hub, clock: asleep });
    gate.start();
    return gate;
  }

  /** I7: of calls with one key, one is at work; `open`: those of hubs that drive their runs. */
  checkCalls(open: readonly DispatchedCall[]): void {
    const keyed = open.filter((call) => "concurrencyKey" in call && call.concurrencyKey === CALL_KEY);
    const ids = new Set(keyed.map(({ requestId }) => requestId));
    if (ids.size > 1) throw new Violation("I7", `Calls ${[...ids].join(" and ")} are at work with one key`);
  }

  /** I7: of runs of one line so many have started and not ended. */
  checkRuns(models: Iterable<RunModel>): void {
    const started = [...models].filter(({ started, ended, created }) =>
      started && !ended && created.gate?.lines.some(({ key }) => key === RUN_KEY)
    );
    if (started.length > this.#limit) {
      throw new Violation("I7", `${started.length} runs of one line are at work, the limit is ${this.#limit}`);
    }
  }

  /** Whether a gate is still to let something in, without anybody's doing: by a poll, a delay, a sweep, or as an answer was lost. */
  async isBusy(): Promise<boolean> {
    for (const [hub, desk] of this.#desks) if (hub.alive && desk.isBehind) return true;
    const keys = this.isOn ? await this.store.keys({ orgId: ORG }) : [];
    const lines = await Promise.all(keys.map(({ key }) => this.store.tickets({ orgId: ORG, key, limit: 1_000 })));
    const waiting = new Set(lines.flat().filter(({ state }) => state === "waiting").map(({ holder }) => holder));
    for (const [hub, desk] of this.#desks) {
      // It has got its place, or lost it to another run, and its hub will hear of it.
      if (hub.alive && desk.waiting.some(({ holder }) => !waiting.has(holder))) return true;
    }
    for (const line of lines) {
      const held = line.filter(({ state }) => state === "held");
      if (held.length === 0 && line.length > 0) return true;
      // Who holds is not at work, nor in the next line: its hub has not been told, or it is to be swept.
      if (held.some(({ runId, holder }) => !waiting.has(holder) && !this.#holds(runId, holder))) return true;
    }
    return false;
  }

  /** I4: a run that waits in line, itself or a call of it, has somebody before it who holds the key. */
  async waits(runId: string): Promise<boolean> {
    const tickets = this.isOn ? await this.store.ticketsOf({ orgId: ORG, runId }) : [];
    return tickets.some(({ state }) => state === "waiting");
  }

  #holds(runId: string, holder: string): boolean {
    const model = this.#world.checker.runs.get(runId);
    if (model === undefined || model.ended) return false;
    if (holder === runId) return model.started;
    // That a call is in the log says nothing: a hub before may have sent it, and this one may not know yet that it has the key.
    return this.#world.hubs.some((hub) => hub.alive && hub.calls.some(({ requestId }) => requestId === holder));
  }
}

function keyedPlan(plan: Plan): Plan {
  const nodes = plan.nodes.map((node) => {
    const sum = [...node.key].reduce((all, letter) => all + letter.charCodeAt(0), 0);
    return node.kind === "operation" && sum % 3 === 0 ? { ...node, concurrencyKey: CALL_KEY, priority: sum % 4 } : node;
  });
  return { ...plan, nodes };
}
