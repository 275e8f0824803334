/**
 * The world of one test: a log and a clock that outlive hub processes, the mocks, and what has been called.
 *
 * - W1 Virtual time moves only in `advance` and `finish`; real time is only waited for while a handler works.
 * - W2 After a crash the next process has only the log, as after `kill -9`.
 */
import { type DispatchedCall, isTerminalType, type RunEvent, type Terminal } from "@alkdev/engine";
import { MemoryStore, VirtualClock } from "@alkdev/engine/memory";
import type { Json, PlanFunction } from "@alkdev/flowgraph";
import { CallError, localEnvelope, OperationRegistry, type ResponseEnvelope, unpinnedId } from "@alkdev/operations";
import { Delivery } from "./delivery.ts";
import { Faults } from "./fault.ts";
import { HubProcess, type ProcessWorld } from "./hub_process.ts";
import { LostAnswer } from "./mock.ts";
import { prepareRun, type TestableWorkflow } from "./prepare_run.ts";

/** One delivery of a call, as it was. */
export interface RecordedCall {
  readonly operationId: string;
  readonly nodeKey: string;
  readonly attempt: number;
  readonly requestId: string;
  readonly runId: string;
  readonly input: Json;
  /** Virtual time, ms since the epoch. */
  readonly at: number;
}

/** Turns without any change after which nothing more is expected. */
const IDLE_TURNS = 4;
/** Real time that a handler which does not wait for virtual time is given. */
const PATIENCE_MS = 1_000;
const MAX_STEPS = 100_000;
const NEVER: Promise<never> = new Promise(() => {});
const CALLER = { identity: { id: "test", scopes: ["*"] }, orgId: "test" };

export interface WorldOptions {
  readonly registry: OperationRegistry;
  readonly workflows: ReadonlyMap<string, TestableWorkflow>;
  readonly startMs: number;
  readonly random: () => number;
}

export class World implements ProcessWorld {
  readonly store: MemoryStore = new MemoryStore();
  readonly clock: VirtualClock;
  readonly faults: Faults = new Faults();
  readonly random: () => number;
  readonly calls: RecordedCall[] = [];
  /** Times the hub was killed. */
  crashes = 0;
  readonly #options: WorldOptions;
  readonly #versions: Map<TestableWorkflow, string> = new Map();
  readonly #busy: Set<Delivery> = new Set();
  readonly #hung: Set<Delivery> = new Set();
  #process: HubProcess;
  #recovery: Promise<void> | null = null;
  #changes = 0;
  #onChange: (() => void) | null = null;
  #runs = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.clock = new VirtualClock(options.startMs);
    this.random = options.random;
    this.#process = new HubProcess(this);
  }

  get process(): HubProcess {
    return this.#process;
  }

  readonly functions: ProcessWorld["functions"] = {
    functions: (name, version, input): Promise<ReadonlyMap<string, PlanFunction>> => {
      for (const [workflow, known] of this.#versions) {
        if (workflow.name === name && known === version) {
          return Promise.resolve(prepareRun(workflow, input).functions);
        }
      }
      return Promise.reject(new Error(`Cannot find version "${version}" of workflow "${name}"`));
    },
  };

  /** Starts a run, again if the hub is killed before the start is durable. Gives its id. */
  async start(workflow: TestableWorkflow, given: unknown, more: StartMore = {}): Promise<string> {
    const { input, hash, plan, functions } = prepareRun(workflow, given);
    const id = more.id ?? `run-${++this.#runs}`;
    await this.insist(() =>
      this.#process.engine.start({
        id,
        workflow: workflow.name,
        version: this.#versionOf(workflow),
        planHash: hash,
        plan,
        functions,
        input,
        caller: CALLER,
        ...more.run,
      }), () => this.store.runs.has(id));
    return id;
  }

  /** Does something durable: again after each crash that came before it was. */
  async insist<T>(act: () => Promise<T>, isDone: () => boolean): Promise<T | undefined> {
    for (;;) {
      const process = this.#process;
      const result = await Promise.race([act(), process.killed.then(() => CRASHED)]);
      if (result !== CRASHED) return result as T;
      await this.#recovery;
      if (isDone()) return undefined;
    }
  }

  events(runId: string): readonly RunEvent[] {
    return this.store.runs.get(runId)?.events ?? [];
  }

  terminal(runId: string): Terminal | null {
    const last = this.events(runId).at(-1);
    return last !== undefined && isTerminalType(last.type) ? last as Terminal : null;
  }

  /** Lets everything happen that needs no virtual time. */
  async settle(): Promise<void> {
    for (let idle = 0; idle < IDLE_TURNS;) {
      const before = this.#changes;
      await new Promise<void>((resolve) => this.clock.afterTurn(resolve));
      await this.#recovery;
      idle = this.#changes === before ? idle + 1 : 0;
      if (idle < IDLE_TURNS) continue;
      const working = [...this.#busy].filter((delivery) => delivery.parked === 0 && !this.#hung.has(delivery));
      if (working.length === 0) return;
      if (await this.#changeWithin(PATIENCE_MS)) idle = 0;
      else for (const delivery of working) this.#hung.add(delivery);
    }
  }

  /** Moves virtual time, doing whatever falls due on the way, in order. */
  async advance(ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    for (let step = 0; step < MAX_STEPS; step++) {
      await this.settle();
      const due = this.clock.nextDue();
      if (due === null || due > end) break;
      this.clock.advance(Math.max(0, due - this.clock.now()));
    }
    this.clock.advance(Math.max(0, end - this.clock.now()));
    await this.settle();
  }

  /** Moves virtual time until a run has ended. Null: nothing is due any more, and it has not. */
  async finish(runId: string): Promise<Terminal | null> {
    for (let step = 0; step < MAX_STEPS; step++) {
      await this.settle();
      const terminal = this.terminal(runId);
      if (terminal !== null) return terminal;
      const due = this.clock.nextDue();
      if (due === null) return null;
      this.clock.advance(Math.max(0, due - this.clock.now()));
    }
    throw new Error(`Run ${runId} has not ended after ${MAX_STEPS} timers`);
  }

  /** Kills the hub and starts it again on its log. */
  async crashNow(): Promise<void> {
    this.crash(this.#process);
    await this.settle();
  }

  crash(process: HubProcess): void {
    if (process !== this.#process) return;
    process.kill();
    this.crashes++;
    this.#busy.clear();
    this.#process = new HubProcess(this);
    this.#recovery = this.#process.recover().then(() => this.changed());
    this.changed();
  }

  changed(): void {
    this.#changes++;
    this.#onChange?.();
  }

  dispatch(process: HubProcess, call: DispatchedCall): Promise<ResponseEnvelope> {
    const { operationId, nodeKey, attempt, requestId, runId, input } = call;
    this.calls.push({ operationId, nodeKey, attempt, requestId, runId, input, at: this.clock.now() });
    this.changed();
    const { registry } = this.#options;
    if (operationId.startsWith(CHILD) && registry.getSpec(operationId) === undefined) return this.#child(process, call);
    return this.#deliver(process, call);
  }

  async #deliver(process: HubProcess, call: DispatchedCall): Promise<ResponseEnvelope> {
    const delivery = new Delivery(call, process);
    this.#busy.add(delivery);
    try {
      const { registry } = this.#options;
      // A mock of an operation stands for every version of it that has none of its own.
      const isMocked = registry.getSpec(call.operationId) !== undefined;
      return await registry.execute(isMocked ? call.operationId : unpinnedId(call.operationId), call.input, delivery);
    } catch (error) {
      if (error instanceof LostAnswer) return await this.#forget(delivery);
      throw missing(error, call.operationId);
    } finally {
      this.#done(delivery);
    }
  }

  #done(delivery: Delivery): void {
    this.#busy.delete(delivery);
    this.changed();
  }

  #forget(delivery: Delivery): Promise<never> {
    this.#done(delivery);
    return NEVER;
  }

  /** A child run, whose id is the request id: a call that is sent again finds the child it had started. */
  async #child(process: HubProcess, call: DispatchedCall): Promise<ResponseEnvelope> {
    const [name = ""] = call.operationId.slice(CHILD.length).split("@");
    const workflow = this.#options.workflows.get(name);
    if (workflow === undefined) {
      throw new CallError(
        "WORKFLOW_NOT_FOUND",
        `Cannot start workflow "${name}": give it in "workflows", or mock "${CHILD}${name}"`,
      );
    }
    const { requestId: id } = call;
    if (this.store.runs.has(id)) await process.engine.adopt(id);
    else {
      const root = this.events(call.runId)[0];
      const parent = {
        runId: call.runId,
        requestId: id,
        rootRunId: (root?.type === "run.created" && root.parent?.rootRunId) || call.runId,
      };
      await this.start(workflow, call.input, { id, run: { parent } });
    }
    const abort = (): void => void process.engine.abort(id, { reason: "Its parent was aborted", by: "hub" });
    call.signal.addEventListener("abort", abort, { once: true });
    const terminal = this.terminal(id) ?? await process.engine.done(id) ?? this.terminal(id);
    if (terminal?.type === "run.completed") return localEnvelope(terminal.output, call.operationId);
    if (terminal?.type === "run.failed") {
      throw new CallError(terminal.error.code, terminal.error.message, { runId: id });
    }
    throw new CallError("ABORTED", "The child run was aborted", { runId: id });
  }

  #versionOf(workflow: TestableWorkflow): string {
    const known = this.#versions.get(workflow);
    if (known !== undefined) return known;
    const version = `v${this.#versions.size + 1}`;
    this.#versions.set(workflow, version);
    return version;
  }

  async #changeWithin(ms: number): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      return await new Promise<boolean>((resolve) => {
        timer = setTimeout(() => resolve(false), ms);
        this.#onChange = () => resolve(true);
      });
    } finally {
      clearTimeout(timer);
      this.#onChange = null;
    }
  }
}

/** What a start may have beside workflow and input. */
export interface StartMore {
  readonly id?: string;
  readonly run?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly priority?: number;
    readonly parent?: { readonly runId: string; readonly requestId: string; readonly rootRunId: string };
  };
}

const CHILD = "workflow.";
const CRASHED = Symbol("crashed");

function missing(error: unknown, operationId: string): unknown {
  if (!(error instanceof CallError) || error.code !== "OPERATION_NOT_FOUND") return error;
  return new CallError(error.code, `There is no operation "${operationId}" in this test: give a mock in "operations"`, {
    operationId,
  });
}
