import {
  compileProgram,
  type EventError,
  foldRun,
  keyOf,
  leaves,
  type RunEvent,
  type RunState,
  type RunStatus,
  STATUS_NAMES,
} from "@alkdev/engine";
import { type Duration, type Json, nearestName, parseDuration, type Plan } from "@alkdev/flowgraph";
import type { RunHistory } from "./history.ts";
import type { RecordedCall, World } from "./world.ts";

/** One node of a run, as it is now. */
export interface TestNode {
  /** With Map and Loop indices: `measure[3]`. */
  readonly key: string;
  readonly status: typeof STATUS_NAMES[number];
  /** Tries so far. */
  readonly attempts: number;
  /** What it was last given; absent: nothing yet. */
  readonly input?: Json;
  /** What it returned; absent until completed. */
  readonly output?: Json;
  /** Null: it did not fail, or not last. */
  readonly error: EventError | null;
  /** When its timer, next attempt or time-out is due, ms since the epoch; null: nothing is. */
  readonly dueAt: number | null;
}

/** A Signal or Approval that waits for somebody. */
export interface TestWait {
  readonly key: string;
  readonly name: string;
  /** Ms since the epoch; null: it waits for ever. */
  readonly due: number | null;
  readonly question?: Json;
}

/** A run in a test. What it shows is the fold of its log, as of now. */
export class WorkflowRun {
  readonly id: string;
  readonly #world: World;
  #state: RunState | null = null;

  constructor(world: World, id: string) {
    this.#world = world;
    this.id = id;
  }

  get status(): RunStatus {
    return this.#fold().status;
  }

  /** Null until completed. */
  get output(): Json {
    const { terminal } = this.#fold();
    return terminal?.type === "run.completed" ? terminal.output : null;
  }

  /** Why it failed, with the node that did; null otherwise. */
  get error(): (EventError & { readonly nodeKey: string | null }) | null {
    const { terminal } = this.#fold();
    return terminal?.type === "run.failed" ? terminal.error : null;
  }

  /** Its log. */
  get events(): readonly RunEvent[] {
    return this.#world.events(this.id);
  }

  /** Every node that exists so far, in plan order. */
  get nodes(): readonly TestNode[] {
    const state = this.#fold();
    return [...leaves(state)].map(({ frame, vertex }) => {
      const cell = frame.cells[vertex];
      const status = STATUS_NAMES[frame.status[vertex] ?? 0] ?? "idle";
      return {
        key: keyOf(state, frame, vertex),
        status,
        attempts: cell?.attempt ?? 0,
        ...(cell?.input !== undefined && { input: cell.input }),
        ...(cell?.data !== undefined && { output: cell.data }),
        error: status === "completed" ? null : cell?.error ?? null,
        dueAt: cell?.dueAt ?? null,
      };
    });
  }

  /** One node. @throws Error when there is none with this key, or it is not there yet */
  node(key: string): TestNode {
    const { nodes } = this;
    const found = nodes.find((node) => node.key === key);
    if (found !== undefined) return found;
    const nearest = nearestName(key, nodes.map((node) => node.key));
    const hint = nearest === undefined ? "" : `: did you mean "${nearest}"?`;
    throw new Error(`Run ${this.id} has no node "${key}"${hint}`);
  }

  /** What was called so far on behalf of this run, in order, each delivery; of one operation, or all. */
  calls(operationId?: string): readonly RecordedCall[] {
    return this.#world.calls.filter((call) =>
      call.runId === this.id && (operationId === undefined || call.operationId === operationId)
    );
  }

  /** Signals and Approvals that wait. */
  get waiting(): readonly TestWait[] {
    const waits = new Map<string, TestWait>();
    for (const event of this.events) {
      if (event.type === "signal.awaited") {
        const { key, name, due, question } = event;
        waits.set(key, { key, name, due, ...(question !== undefined && { question }) });
      }
    }
    const { nodes } = this;
    return [...waits.values()].filter(({ key }) => nodes.some((node) => node.key === key && !ENDED.has(node.status)));
  }

  /** The child run that a Workflow node started. @throws Error when it has not */
  child(key: string): WorkflowRun {
    const call = this.calls().findLast(({ nodeKey }) => nodeKey === key);
    if (call !== undefined && this.#world.store.runs.has(call.requestId)) {
      return new WorkflowRun(this.#world, call.requestId);
    }
    throw new Error(`Node "${key}" of run ${this.id} has started no child run`);
  }

  /** Moves virtual time, doing whatever falls due on the way: timers, retries, time-outs, latencies. */
  async advance(duration: Duration): Promise<this> {
    const ms = parseDuration(duration);
    if (ms === null) {
      throw new TypeError(`Cannot advance by "${duration}": want milliseconds or a duration such as "1h"`);
    }
    await this.#world.advance(ms);
    return this;
  }

  /** Moves virtual time until the run has ended. @throws Error when it waits for something that no time brings */
  async finish(): Promise<this> {
    if (await this.#world.finish(this.id) !== null) return this;
    const open = this.nodes.filter(({ status }) => status === "running" || status === "ready" || status === "waiting");
    const waits = this.waiting.map(({ name }) => `signal "${name}"`);
    const what = [...waits, ...open.map(({ key, status }) => `${key} is ${status}`)].join(", ");
    throw new Error(`Run ${this.id} does not end by itself (${this.status}): ${what}`);
  }

  /** Answers a Signal or Approval, by its name or its node's key. @throws Error when none of that name waits */
  async signal(name: string, payload: Json = null, by: string = "test"): Promise<this> {
    const known = this.#answers();
    const outcome = await this.#world.insist(
      () => this.#world.process.engine.answer(this.id, { name, payload, by }),
      () => this.#answers() > known,
    );
    if (outcome !== undefined && outcome !== "answered") {
      const waiting = this.waiting.map((wait) => `"${wait.name}"`).join(", ") || "nothing";
      throw new Error(`Cannot answer "${name}" of run ${this.id} (${outcome}): it waits for ${waiting}`);
    }
    await this.#world.settle();
    return this;
  }

  async abort(reason: string = "Aborted by the test"): Promise<this> {
    const isEnded = (): boolean => this.#world.terminal(this.id) !== null;
    await this.#world.insist(() => this.#world.process.engine.abort(this.id, { reason, by: "test" }), isEnded);
    await this.#world.settle();
    return this;
  }

  async pause(): Promise<this> {
    return await this.#setPaused(true);
  }

  async resume(): Promise<this> {
    return await this.#setPaused(false);
  }

  /** The run as it can be saved as JSON, and replayed on a later template. */
  history(): RunHistory {
    const { created } = this.#fold();
    if (created === null) throw new Error(`Run ${this.id} has no log`);
    const { workflow, version } = created;
    const { id, status } = this;
    return { run: { id, workflow, version, status }, plan: this.#plan(), events: this.events };
  }

  async #setPaused(paused: boolean): Promise<this> {
    const isSet = (): boolean => (this.status === "paused") === paused;
    await this.#world.insist(() => this.#world.process.engine.setPaused(this.id, paused, "test"), isSet);
    await this.#world.settle();
    return this;
  }

  #answers(): number {
    return this.events.filter(({ type }) => type === "signal.received").length;
  }

  #plan(): Plan {
    const created = this.events[0];
    const plan = created?.type === "run.created" ? this.#world.store.plans.get(created.planHash) : undefined;
    if (plan === undefined) throw new Error(`Run ${this.id} has no plan`);
    return plan;
  }

  #fold(): RunState {
    const { events } = this;
    if (this.#state === null || this.#state.seq !== events.length) {
      this.#state = foldRun(compileProgram(this.#plan()), events);
    }
    return this.#state;
  }
}

const ENDED: ReadonlySet<string> = new Set(["completed", "failed", "aborted", "skipped"]);
