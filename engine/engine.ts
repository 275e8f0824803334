/**
 * The engine of one hub: owns the runs that this hub drives, the queue to the dispatcher, and the group commit.
 *
 * - E1 A start resolves after the commit that holds its `run.created` (I1), unless it asked not to wait; a waiter is told after the commit of the terminal event.
 * - E2 Nothing here awaits: outcomes, timers and commits call in, and each call in ends with events pushed or calls sent.
 * - E3 Once fenced, nothing is written or dispatched any more, and every call under way is cancelled (I2).
 */
import { CallError, type Identity } from "@alkdev/operations";
import type { Json } from "@alkdev/flowgraph";
import { ActiveRun } from "./active_run.ts";
import { CallSlots } from "./call_slots.ts";
import { createdEvent } from "./created_event.ts";
import {
  DEFAULT_ENGINE_LIMITS,
  type EngineLimits,
  type EngineOptions,
  type NewRun,
  type Started,
} from "./engine_options.ts";
import { isTerminalType, type RunEvent, type Terminal } from "./events.ts";
import { GroupCommit } from "./group_commit.ts";
import { toJsonValue } from "./json_value.ts";
import type { Refusal } from "./lineage/refusals.ts";
import { migrateRun, type MigrateTo } from "./migrate_run.ts";
import type { NodeCall } from "./node_call.ts";
import type { CommitResult, FencedError, LeaveGate } from "./ports.ts";
import { ProgramCache } from "./program_cache.ts";
import { actOnNode, type NodeCommand, type NodeOutcome } from "./node_commands.ts";
import { reuseResults } from "./reuse_results.ts";
import type { RunEntry } from "./run_gate.ts";
import { abortRun, pauseRun } from "./run_commands.ts";
import type { RunHost } from "./run_host.ts";
import { type Answer, type AnswerOutcome, answerSignal } from "./signals.ts";
import { goesAhead, startOutcome } from "./start_outcome.ts";
import { foldRun } from "./state/fold_run.ts";
import { planPin } from "./state/plan_pin.ts";

/** For so long a handler that was told to end, and does not, keeps its place: as long as anybody may count on it. */
const GATE_GRACE_MS = 5_000;

export class Engine {
  readonly #options: EngineOptions;
  readonly #limits: EngineLimits;
  readonly #runs: Map<string, ActiveRun> = new Map();
  readonly #programs: ProgramCache;
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
    this.#programs = new ProgramCache(options);
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
      waits: (call) => this.#waits(call),
      enter: (entry) => this.#enter(entry),
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
      const { clock, plans } = this.#options;
      if (this.#programs.isStored(run.planHash, clock.now())) return this.#create(run, input, meter.bytes);
      return plans.put(run.planHash, run.plan).then(() => {
        this.#programs.stored(run.planHash);
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
    abortRun(run, params.reason, params.by);
    return await done !== null;
  }

  /** Holds back (or lets go on) what has not started. False: not live here. Resolves when durable. */
  async setPaused(runId: string, paused: boolean, by: string): Promise<boolean> {
    const run = this.#runs.get(runId);
    if (run === undefined || run.state.terminal !== null) return false;
    pauseRun(run, paused, by);
    await this.#durable(run);
    return true;
  }

  /** Acts on a node of a live run; resolves when durable. Null: the run is not live here. */
  async actOnNode(
    runId: string,
    command: NodeCommand & { readonly key: string; readonly by: Identity["id"] },
  ): Promise<NodeOutcome | null> {
    const run = this.#runs.get(runId);
    if (run === undefined || run.state.terminal !== null) return null;
    const outcome = actOnNode(run, command);
    if (outcome === "done") await this.#durable(run);
    return outcome;
  }

  /** Answers a Signal that waits, or will; resolves when durable. @throws what `check` throws */
  async answer(runId: string, answer: Answer): Promise<AnswerOutcome> {
    const run = this.#runs.get(runId);
    if (run === undefined) return "unknown";
    const payload = toJsonValue(answer.payload, "the signal's payload", this.#limits.value);
    const outcome = answerSignal(run, { ...answer, payload });
    if (outcome === "answered" || outcome === "kept") await this.#durable(run);
    return outcome;
  }

  /**
   * Moves a live run to another version, whose plan is stored; resolves when durable. What speaks against it is given back, and
   * nothing has changed then. Null: not live here.
   */
  async migrate(runId: string, to: MigrateTo): Promise<readonly Refusal[] | null> {
    const run = this.#runs.get(runId);
    if (run === undefined || run.state.terminal !== null) return null;
    const { log } = this.#options;
    const refusals = await migrateRun(run, to, {
      program: (pin) => this.#programs.of(pin),
      read: () => log.read({ runId }),
      durable: () => this.#durable(run),
    });
    if (refusals?.length === 0) await this.#durable(run);
    return refusals;
  }

  /** Takes up a run that has just been claimed: folds its log and goes on. False: it has ended, or has no log. */
  async adopt(runId: string): Promise<boolean> {
    if (this.#runs.has(runId)) return true;
    const events = await this.#options.log.read({ runId });
    const created = events[0];
    const last = events[events.length - 1];
    if (created?.type !== "run.created" || last === undefined || isTerminalType(last.type)) return false;
    const program = await this.#programs.of(planPin(events)!);
    if (this.#runs.has(runId) || this.#state === "stopped") return true;
    const run = new ActiveRun(this.#host, { id: runId, caller: created.caller, state: foldRun(program, events) });
    this.#runs.set(runId, run);
    run.resume();
    this.#options.gate?.adopted(runId);
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
    this.#commit.hurry();
    if (this.#state !== "stopped") await run.durable(); // afterwards nothing becomes durable any more
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
    const program = this.#programs.keep(params.planHash, params.plan, params.functions);
    const run = ActiveRun.create(this.#host, id, program, params.caller);
    run.bytes = bytes;
    this.#liveBytes += bytes;
    this.#runs.set(id, run);
    run.isAhead = run.isPatient = goesAhead(params);
    const started = startOutcome(run);
    run.append(
      createdEvent({ runId: id, seq: run.nextSeq(), at: this.#options.clock.now() }, params, input),
      undefined,
    );
    if (params.reuse !== undefined) this.#liveBytes += reuseResults(run, params.reuse);
    return started;
  }

  #waits(call: NodeCall): boolean {
    const { gate } = this.#options;
    if (gate === undefined) return false;
    call.leaveGate = gate.call(call, this.#letIn);
    return call.leaveGate !== null;
  }

  readonly #letIn = (call: NodeCall): void => {
    if (call.ended || this.#state !== "open") return;
    if (call.run.holdBack(call)) return this.#leave(call);
    call.startedAt = this.#options.clock.now();
    call.run.calls.begin(call);
  };

  #enter(entry: RunEntry): LeaveGate {
    const answer = (one: RunEntry, replacedBy: string | null): void => {
      if (this.#state === "open") one.answered(replacedBy);
    };
    const { gate, clock } = this.#options;
    if (gate !== undefined) return gate.run(entry, answer);
    clock.afterTurn(() => answer(entry, null));
    return () => {};
  }

  /** Gives back what the call holds, at the latest a while after it was told to end. */
  #leave(call: NodeCall): void {
    const leave = call.leaveGate;
    if (leave === null) return;
    const { clock } = this.#options;
    if (call.atWork) return void clock.at(clock.now() + GATE_GRACE_MS, leave);
    call.leaveGate = null;
    leave();
  }

  #send(call: NodeCall): void {
    if (this.#slots.take(call)) this.#dispatch(call);
  }

  #dispatch(call: NodeCall): void {
    call.holdsSlot = true;
    this.#fresh.push(call);
    this.#commit.schedule();
    call.atWork = true;
    this.#options.dispatcher.dispatch(call).then(
      (envelope) => {
        call.atWork = false;
        if (this.#state !== "stopped") call.run.calls.responded(call, envelope);
        this.#release(call);
      },
      (error: unknown) => {
        call.atWork = false;
        if (this.#state !== "stopped") call.run.calls.failed(call, error);
        this.#release(call);
      },
    );
  }

  /** A call that has ended holds no slot, whether or not its handler heeds the signal. */
  #release(call: NodeCall): void {
    if (call.leaveGate !== null) this.#leave(call);
    if (!call.holdsSlot) return;
    call.holdsSlot = false;
    this.#slots.release(call.orgId);
    if (this.#state !== "open" || this.#slots.queued === 0) return;
    for (let next = this.#slots.next(); next !== null; next = this.#slots.next()) {
      if (next.run.holdBack(next)) {
        this.#slots.release(next.orgId);
        this.#leave(next);
      } else {
        this.#options.onWaited?.(this.#options.clock.now() - next.startedAt);
        this.#dispatch(next);
      }
    }
  }

  /** Calls that outlived their turn are announced, so that a long call is visible as running. */
  #announce(): void {
    const fresh = this.#fresh;
    if (fresh.length === 0) return;
    this.#fresh = [];
    for (const call of fresh) call.run.calls.request(call);
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
      if (!run.closedInBatch) run.enterGate();
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
