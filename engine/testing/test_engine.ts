/** An engine over in-memory ports and scripted handlers, for tests. Time is virtual; nothing sleeps. */
import { compile, type Json } from "@alkdev/flowgraph";
import { CallError, localEnvelope } from "@alkdev/operations";
import {
  type DispatchedCall,
  Engine,
  type EngineLimits,
  type EventLog,
  type FlowGate,
  isTerminalType,
  type Ownership,
  type PlanStore,
  type RunEvent,
  type RunGate,
} from "../mod.ts";
import {
  acquireMemoryLease,
  createMemoryLog,
  createMemoryPlanStore,
  MemoryStore,
  VirtualClock,
} from "../memory/mod.ts";
import type { Terminal } from "../events.ts";

/** Answers one call: its data, or throws. */
export type Handler = (call: DispatchedCall) => unknown;

/** Element tree as JSON, without the noise of empty props and children. */
export interface Tree {
  readonly type: string;
  readonly props?: Readonly<Record<string, unknown>>;
  readonly children?: readonly Tree[];
}

/** An operation node whose operation is `t.<name>`. */
export function op(key: string, props: Readonly<Record<string, unknown>> = {}, name = "step"): Tree {
  return { type: "operation", props: { name: `t.${name}`, key, ...props } };
}
export function seq(...children: readonly Tree[]): Tree {
  return { type: "sequential", children };
}
export function par(children: readonly Tree[], props: Readonly<Record<string, unknown>> = {}): Tree {
  return { type: "parallel", props, children };
}
export function when(props: Readonly<Record<string, unknown>>, then: Tree, otherwise?: Tree): Tree {
  return {
    type: "conditional",
    props: otherwise === undefined ? props : { ...props, else: full(otherwise) },
    children: [then],
  };
}
export function map(props: Readonly<Record<string, unknown>>, ...children: readonly Tree[]): Tree {
  return { type: "map", props: { as: "item", ...props }, children };
}

/** With every field, as templates are written down. */
export function full(tree: Tree): unknown {
  return { type: tree.type, props: tree.props ?? {}, children: (tree.children ?? []).map(full) };
}

export class TestEngine {
  readonly store: MemoryStore;
  readonly clock: VirtualClock;
  readonly handlers: Map<string, Handler> = new Map();
  /** Every dispatch, in order. */
  readonly calls: DispatchedCall[] = [];
  readonly lease: Ownership;
  readonly engine: Engine;
  readonly committed: RunEvent[] = [];
  fenced = false;

  constructor(
    options: {
      readonly store?: MemoryStore;
      readonly clock?: VirtualClock;
      readonly wrapLog?: (log: EventLog) => EventLog;
      readonly wrapPlans?: (plans: PlanStore) => PlanStore;
      readonly limits?: Partial<EngineLimits>;
      readonly random?: () => number;
      readonly hubId?: string;
      /** Made once the lease is held. */
      readonly gate?: (engine: { readonly lease: Ownership; readonly clock: VirtualClock }) => FlowGate;
    } = {},
  ) {
    this.store = options.store ?? new MemoryStore();
    this.clock = options.clock ?? new VirtualClock();
    this.lease = acquireMemoryLease(this.store, {
      hubId: options.hubId ?? "hub",
      ttlMs: 10_000,
      now: () => this.clock.now(),
    });
    const log = createMemoryLog(this.store, this.lease);
    const plans = createMemoryPlanStore(this.store);
    let ids = 0;
    this.engine = new Engine({
      log: options.wrapLog?.(log) ?? log,
      plans: options.wrapPlans?.(plans) ?? plans,
      functions: { functions: () => Promise.reject(new Error("This test has no templates with functions")) },
      dispatcher: { dispatch: (call) => this.#dispatch(call) },
      ...(options.gate !== undefined && { gate: options.gate(this) }),
      clock: this.clock,
      ids: {
        runId: () => `run-${options.hubId ?? ""}${this.lease.epoch}-${++ids}`,
        requestId: (runId, key, attempt) => `${runId}/${key}/${attempt}`,
      },
      random: options.random ?? (() => 0),
      onCommitted: (events) => void this.committed.push(...events),
      onFenced: () => void (this.fenced = true),
      ...(options.limits !== undefined && { limits: options.limits }),
    });
    this.handlers.set("t.step", (call) => call.input);
  }

  async #dispatch(call: DispatchedCall): Promise<ReturnType<typeof localEnvelope>> {
    this.calls.push(call);
    const handler = this.handlers.get(call.operationId);
    if (handler === undefined) throw new CallError("OPERATION_NOT_FOUND", `No handler for "${call.operationId}"`);
    return localEnvelope(await handler(call), call.operationId);
  }

  /** Starts a run of a template. */
  async start(
    tree: Tree,
    input: Json = {},
    extra: {
      readonly name?: string;
      readonly idempotencyKey?: string;
      readonly gate?: RunGate;
      readonly priority?: number;
    } = {},
  ): Promise<string> {
    const name = extra.name ?? "test";
    const { plan, functions } = compile({ name, template: full(tree) as object }, input);
    const started = await this.engine.start({
      workflow: name,
      version: "v1",
      planHash: JSON.stringify(plan),
      plan,
      functions,
      input,
      caller: { identity: { id: "someone", scopes: [] }, orgId: "default" },
      ...(extra.idempotencyKey !== undefined && { idempotencyKey: extra.idempotencyKey }),
      ...(extra.gate !== undefined && { gate: extra.gate }),
      ...(extra.priority !== undefined && { priority: extra.priority }),
    });
    return started.runId;
  }

  /** Starts a run and moves time until it has ended. */
  async run(tree: Tree, input: Json = {}): Promise<Terminal> {
    return this.end(await this.start(tree, input));
  }

  /** Moves time until a run has ended. */
  async end(runId: string): Promise<Terminal> {
    const done = this.engine.done(runId);
    if (done === null) {
      const last = this.events(runId).at(-1);
      if (last === undefined || !isTerminalType(last.type)) throw new Error(`Run ${runId} is not live`);
      return last as Terminal;
    }
    let terminal: Terminal | null | undefined;
    void done.then((event) => terminal = event);
    for (let idle = 0; terminal === undefined; idle++) {
      await this.settle();
      const due = this.clock.nextDue();
      if (terminal === undefined && due !== null) this.clock.advance(Math.max(0, due - this.clock.now()));
      if (idle > 100_000) throw new Error(`Run ${runId} does not end`);
    }
    if (terminal === null) throw new Error(`Run ${runId} was given up`);
    return terminal;
  }

  /** Lets everything happen that needs no time. */
  async settle(turns = 4): Promise<void> {
    for (let i = 0; i < turns; i++) await new Promise<void>((resolve) => this.clock.afterTurn(resolve));
  }

  events(runId: string): readonly RunEvent[] {
    return this.store.runs.get(runId)?.events ?? [];
  }

  /** Status of every leaf, from the log alone. */
  async statuses(runId: string): Promise<Record<string, string>> {
    const { foldRun, leaves, keyOf, STATUS_NAMES, compileProgram } = await import("../mod.ts");
    const events = this.events(runId);
    const created = events[0];
    if (created?.type !== "run.created") throw new Error(`Run ${runId} has no log`);
    const state = foldRun(compileProgram(this.store.plans.get(created.planHash)!), events);
    return Object.fromEntries(
      [...leaves(state)].map(({ frame, vertex }) => [keyOf(state, frame, vertex), STATUS_NAMES[frame.status[vertex]!]]),
    );
  }
}

/** A promise settled by hand. */
export function deferred<T = unknown>(): PromiseWithResolvers<T> {
  return Promise.withResolvers<T>();
}
