/**
 * The engine of one hub: owns the runs that this hub drives, the queue to the dispatcher, and the group commit.
 *
 * - E1 A start resolves after the commit that holds its `run.created` (I1); a waiter is told after the commit of the terminal event.
 * - E2 Nothing here awaits: outcomes, timers and commits call in, and each call in ends with events pushed or calls sent.
 * - E3 Once fenced, nothing is written or dispatched any more, and every call under way is cancelled (I2).
 */
import { CallError, type Identity } from "@alkdev/operations";
import type { Json, Plan, PlanFunction } from "@alkdev/flowgraph";
import { ActiveRun, type RunHost, type Terminal } from "./active_run.ts";
import type { Caller, ParentCall, RunEvent } from "./events.ts";
import { isTerminalType } from "./events.ts";
import { CallSlots } from "./call_slots.ts";
import { GroupCommit } from "./group_commit.ts";
import { DEFAULT_VALUE_LIMITS, toJsonValue, type ValueLimits } from "./json_value.ts";
import type { NodeCall } from "./node_call.ts";
import type {
  Clock,
  CommitResult,
  Dispatcher,
  EventLog,
  FencedError,
  FunctionSource,
  Ids,
  PlanStore,
  Random,
} from "./ports.ts";
import { compileProgram, type Program } from "./program.ts";
import { foldRun } from "./state/run_state.ts";

export interface EngineOptions {
  readonly log: EventLog;
  readonly plans: PlanStore;
  readonly functions: FunctionSource;
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly limits?: Partial<EngineLimits>;
  /** After each commit, in order: what has become durable. */
  readonly onCommitted?: (events: readonly RunEvent[]) => void;
  /** The lease is lost: this engine has stopped driving. */
  readonly onFenced?: (error: FencedError) => void;
  /** Commits fail and are sent again (error), or go through again (null). */
  readonly onTrouble?: (error: unknown | null) => void;
}

export interface EngineLimits {
  readonly value: ValueLimits;
  /** Calls under way at once; further ones wait in order. */
  readonly maxInFlight: number;
  /** Of these, of one organization: so that one's flood does not stop another's trickle. */
  readonly maxInFlightPerOrg: number;
  /** Live runs beyond which a start is refused with OVERLOADED. */
  readonly maxLiveRuns: number;
  /** Inputs and results of live runs in memory beyond which a start is refused with OVERLOADED. */
  readonly maxLiveBytes: number;
  /** Events waiting for a commit beyond which a start is refused with OVERLOADED. */
  readonly maxBacklog: number;
}

export const DEFAULT_ENGINE_LIMITS: EngineLimits = {
  value: DEFAULT_VALUE_LIMITS,
  maxInFlight: 20_000,
  maxInFlightPerOrg: 15_000,
  maxLiveRuns: 1_000_000,
  maxLiveBytes: 1024 ** 3,
  maxBacklog: 200_000,
};

export interface NewRun {
  /** Given for a child run, whose id is its call's request id; else a fresh one is made. */
  readonly id?: string;
  readonly workflow: string;
  readonly version: string;
  readonly planHash: string;
  readonly plan: Plan;
  readonly functions: ReadonlyMap<string, PlanFunction>;
  readonly input: Json;
  readonly caller: Caller;
  readonly labels?: Readonly<Record<string, string>>;
  readonly priority?: number;
  readonly parent?: ParentCall;
  readonly idempotencyKey?: string;
  readonly deadline?: number;
}

export interface Started {
  readonly runId: string;
  /** True: the idempotency key was taken, and `runId` is the run that has it. */
  readonly duplicate: boolean;
}

/** Programs by plan hash that are kept though no live run uses them. */
const PROGRAM_CACHE = 500;

export class Engine {
  readonly #options: EngineOptions;
  readonly #limits: EngineLimits;
  readonly #runs: Map<string, ActiveRun> = new Map();
  readonly #programs: Map<string, Program> = new Map();
  readonly #commit: GroupCommit<ActiveRun>;
  readonly #host: RunHost;
  /** Sent this turn, not yet known to be short or long. */
  #fresh: NodeCall[] = [];
  readonly #slots: CallSlots<NodeCall>;
  /** Inputs and results that live runs keep in memory, about. */
  #liveBytes = 0;
  #state: "open" | "draining" | "stopped" = "open";

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_ENGINE_LIMITS, ...options.limits };
    const { maxInFlight, maxInFlightPerOrg } = this.#limits;
    this.#slots = new CallSlots({ max: maxInFlight, maxPerOrg: maxInFlightPerOrg });
    this.#commit = new GroupCommit<ActiveRun>({
      log: options.log,
      clock: options.clock,
      beforeSeal: () => this.#announce(),
      sealed: (run) => run.seal(),
      committed: (batch, result) => this.#committed(batch, result),
      proceed: (run, result) => this.#proceed(run, result),
      fenced: (error) => this.#fenced(error),
      trouble: (error) => options.onTrouble?.(error),
    });
    this.#host = {
      clock: options.clock,
      ids: options.ids,
      random: options.random,
      limits: this.#limits.value,
      push: (run, event) => this.#commit.push(run, event),
      send: (call) => this.#send(call),
      release: (call) => this.#release(call),
      grow: (bytes) => void (this.#liveBytes += bytes),
    };
  }

  /** Live runs, calls under way, calls waiting for room, events waiting for a commit. */
  stats(): { readonly runs: number; readonly inFlight: number; readonly queued: number; readonly backlog: number } {
    return {
      runs: this.#runs.size,
      inFlight: this.#slots.taken,
      queued: this.#slots.queued,
      backlog: this.#commit.backlog,
    };
  }

  /** This hub drives nothing any more: calls that are cancelled now are not given up, but left to the next owner. */
  get stopped(): boolean {
    return this.#state === "stopped";
  }

  /** The live run, for reading its state between two events. Null: not this engine's, or ended. */
  live(runId: string): ActiveRun | null {
    return this.#runs.get(runId) ?? null;
  }

  /**
   * Starts a run; durable when it resolves.
   *
   * @throws CallError OVERLOADED when a queue is full or the hub is stopping, PAYLOAD_TOO_LARGE for a large input.
   */
  start(run: NewRun): Promise<Started> {
    try {
      this.#admit();
      const meter = { bytes: 0 };
      const input = toJsonValue(run.input, "the run's input", this.#limits.value, meter);
      if (this.#programs.has(run.planHash)) return this.#create(run, input, meter.bytes);
      return this.#options.plans.put(run.planHash, run.plan).then(() => {
        this.#admit(); // the hub may have stopped meanwhile, and nobody would ever answer
        return this.#create(run, input, meter.bytes);
      });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Resolves with the terminal event once durable, or with null when this hub stops driving first. Null at once: the run is
   * not live here.
   */
  done(runId: string): Promise<Terminal | null> | null {
    const run = this.#runs.get(runId);
    return run === undefined ? null : new Promise((resolve) => run.onEnd(resolve));
  }

  /** Aborts a live run; resolves when durable. False: not live here. */
  async abort(runId: string, params: { readonly reason: string; readonly by: string }): Promise<boolean> {
    const run = this.#runs.get(runId);
    if (run === undefined) return false;
    const done = this.done(runId)!;
    run.abort(params.reason, params.by);
    return await done !== null;
  }

  /** Holds back (or lets go on) what has not started. False: not live here. Resolves when durable. */
  async setPaused(runId: string, paused: boolean, by: string): Promise<boolean> {
    const run = this.#runs.get(runId);
    if (run === undefined || run.state.terminal !== null) return false;
    if ((run.state.status === "paused") !== paused) run.emit({ type: paused ? "run.paused" : "run.resumed", by });
    await this.#durable(run);
    return true;
  }

  /** Answers a waiting Signal; resolves when durable. */
  async answer(
    runId: string,
    params: { readonly name: string; readonly payload: Json; readonly by: Identity["id"] },
  ): Promise<"answered" | "unknown" | "already"> {
    const run = this.#runs.get(runId);
    if (run === undefined) return "unknown";
    const payload = toJsonValue(params.payload, "the signal's payload", this.#limits.value);
    const outcome = run.answer(params.name, payload, params.by);
    if (outcome === "answered") await this.#durable(run);
    return outcome;
  }

  /** Takes up a run that has just been claimed: folds its log and goes on. False: it has ended, or has no log. */
  async adopt(runId: string): Promise<boolean> {
    if (this.#runs.has(runId)) return true;
    const events = await this.#options.log.read({ runId });
    const created = events[0];
    const last = events[events.length - 1];
    if (created?.type !== "run.created" || last === undefined || isTerminalType(last.type)) return false;
    const program = await this.#program(created);
    if (this.#runs.has(runId) || this.#state === "stopped") return true;
    const run = new ActiveRun(this.#host, { id: runId, caller: created.caller, state: foldRun(program, events) });
    this.#runs.set(runId, run);
    run.resume();
    this.#commit.schedule();
    return true;
  }

  /** Refuses new starts, lets what is under way end within `graceMs`, and leaves the rest to the next owner. */
  async stop(graceMs: number): Promise<void> {
    if (this.#state === "stopped") return;
    this.#state = "draining";
    const { clock } = this.#options;
    const end = clock.now() + graceMs;
    while (this.#slots.taken > 0 && clock.now() < end) {
      await new Promise<void>((resolve) => clock.at(Math.min(end, clock.now() + 20), resolve));
    }
    await this.#commit.drained();
    this.#halt(new CallError("ABORTED", "The hub is stopping"));
  }

  /** @throws CallError OVERLOADED when this hub has lost its lease meanwhile: whether the event is durable is not known. */
  async #durable(run: ActiveRun): Promise<void> {
    await run.durable();
    if (this.#state === "stopped") {
      throw new CallError("OVERLOADED", "The hub has stopped driving: ask again", { retryAfterMs: 1000 });
    }
  }

  #admit(): void {
    const { maxLiveRuns, maxLiveBytes, maxBacklog } = this.#limits;
    const why = this.#state !== "open"
      ? "the hub is stopping"
      : this.#runs.size >= maxLiveRuns
      ? `${this.#runs.size} runs are live, the limit is ${maxLiveRuns}`
      : this.#liveBytes >= maxLiveBytes
      ? `live runs hold ${this.#liveBytes} bytes, the limit is ${maxLiveBytes}`
      : this.#commit.backlog >= maxBacklog
      ? `${this.#commit.backlog} events wait for the database, the limit is ${maxBacklog}`
      : null;
    if (why !== null) throw new CallError("OVERLOADED", `Cannot start a run now: ${why}`, { retryAfterMs: 1000 });
  }

  #create(params: NewRun, input: Json, bytes: number): Promise<Started> {
    const id = params.id ?? this.#options.ids.runId();
    const known = this.#runs.get(id);
    if (known !== undefined) return Promise.resolve({ runId: id, duplicate: true });
    const program = this.#keepProgram(
      params.planHash,
      () => compileProgram(params.plan, params.functions),
      params.functions,
    );
    const run = ActiveRun.create(this.#host, id, program, params.caller);
    run.bytes = bytes;
    this.#liveBytes += bytes;
    this.#runs.set(id, run);
    const started = new Promise<Started>((resolve, reject) => {
      run.onCreated = (duplicateOf) =>
        duplicateOf === "" // fenced before it was durable
          ? reject(
            new CallError("OVERLOADED", "Cannot start a run now: the hub has lost its lease", { retryAfterMs: 1000 }),
          )
          : resolve({ runId: duplicateOf ?? id, duplicate: duplicateOf !== null });
    });
    run.emit({
      type: "run.created",
      workflow: params.workflow,
      version: params.version,
      planHash: params.planHash,
      input,
      caller: params.caller,
      labels: params.labels ?? {},
      priority: params.priority ?? 0,
      parent: params.parent ?? null,
      idempotencyKey: params.idempotencyKey ?? null,
      deadline: params.deadline ?? null,
    });
    return started;
  }

  async #program(created: Extract<RunEvent, { type: "run.created" }>): Promise<Program> {
    const kept = this.#programs.get(created.planHash);
    if (kept !== undefined) return kept;
    const plan = await this.#options.plans.get(created.planHash);
    if (plan === null) throw new Error(`Cannot find plan "${created.planHash}" of run ${created.runId}`);
    const needsFunctions = JSON.stringify(plan).includes('"$fn":');
    const functions = needsFunctions
      ? await this.#options.functions.functions(created.workflow, created.version, created.input)
      : new Map<string, PlanFunction>();
    return this.#keepProgram(created.planHash, () => compileProgram(plan, functions), functions);
  }

  /** A program with functions belongs to one input and is not shared. */
  #keepProgram(hash: string, make: () => Program, functions: ReadonlyMap<string, PlanFunction>): Program {
    const kept = functions.size === 0 ? this.#programs.get(hash) : undefined;
    if (kept !== undefined) return kept;
    const program = make();
    if (functions.size > 0) return program;
    if (this.#programs.size >= PROGRAM_CACHE) {
      for (const oldest of this.#programs.keys()) {
        this.#programs.delete(oldest);
        break;
      }
    }
    this.#programs.set(hash, program);
    return program;
  }

  #send(call: NodeCall): void {
    if (this.#slots.take(call)) this.#dispatch(call);
  }

  #dispatch(call: NodeCall): void {
    call.holdsSlot = true;
    this.#fresh.push(call);
    this.#commit.schedule();
    this.#options.dispatcher.dispatch(call).then(
      (envelope) => {
        if (this.#state !== "stopped") call.run.responded(call, envelope);
        this.#release(call);
      },
      (error: unknown) => {
        if (this.#state !== "stopped") call.run.failed(call, error);
        this.#release(call);
      },
    );
  }

  /** A call that has ended holds no slot, whether or not its handler heeds the signal. */
  #release(call: NodeCall): void {
    if (!call.holdsSlot) return;
    call.holdsSlot = false;
    this.#slots.release(call.orgId);
    if (this.#state !== "open" || this.#slots.queued === 0) return;
    for (let next = this.#slots.next(); next !== null; next = this.#slots.next()) {
      if (next.run.holdBack(next)) this.#slots.release(next.orgId);
      else this.#dispatch(next);
    }
  }

  /** Calls that outlived their turn are announced, so that a long call is visible as running. */
  #announce(): void {
    const fresh = this.#fresh;
    if (fresh.length === 0) return;
    this.#fresh = [];
    for (const call of fresh) call.run.request(call);
  }

  #committed(batch: readonly RunEvent[], { duplicates }: CommitResult): void {
    const observe = this.#options.onCommitted;
    if (observe === undefined) return;
    observe(duplicates.size === 0 ? batch : batch.filter((event) => !duplicates.has(event.runId)));
  }

  /** What follows for a run when its part of a batch is durable. */
  #proceed(run: ActiveRun, { duplicates }: CommitResult): void {
    const places = run.takeSealed();
    const { onCreated } = run;
    if (onCreated !== null) {
      run.onCreated = null;
      const duplicateOf = duplicates.get(run.id) ?? null;
      onCreated(duplicateOf);
      if (duplicateOf !== null) {
        this.#forget(run);
        return;
      }
      run.armDeadline();
    }
    if (run.closedInBatch) {
      this.#forget(run);
      run.closed();
      return;
    }
    if (this.#state !== "open") return;
    run.releaseHeld();
    run.dispatch(places);
  }

  #forget(run: ActiveRun): void {
    this.#runs.delete(run.id);
    this.#liveBytes -= run.bytes;
  }

  #fenced(error: FencedError): void {
    this.#halt(error);
    this.#options.onFenced?.(error);
  }

  #halt(reason: unknown): void {
    this.#state = "stopped";
    this.#commit.stop();
    for (const run of this.#runs.values()) {
      run.abandon(reason);
      run.onCreated?.("");
    }
    this.#runs.clear();
    this.#slots.clear();
  }
}
