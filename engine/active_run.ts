/**
 * One run that this hub drives: turns what its state asks for into events and dispatches. Everything here is synchronous; the
 * engine calls it between two commits.
 *
 * - A1 Every event goes through `emit`: appended and folded in the same step, in seq order.
 * - A2 A node is dispatched only from `dispatch`, which the engine calls when the events that made it ready are durable.
 * - A3 A run that waits keeps no collection that is empty: it may do so for months, beside a hundred thousand others.
 */
import { CallError, type ResponseEnvelope } from "@alkdev/operations";
import type { Json, PlanNode } from "@alkdev/flowgraph";
import { closing, decide, publicCounts } from "./decide.ts";
import type { Caller, EventBody, RunEvent, Terminal } from "./events.ts";
import { Durability } from "./durability.ts";
import { toEventError } from "./event_error.ts";
import { Appender } from "./group_commit.ts";
import { toJsonValue } from "./json_value.ts";
import { NodeCall } from "./node_call.ts";
import { type CallInput, callInput, wantInstant, wantMs, workflowOperation } from "./node_values.ts";
import { type Program, VertexKind } from "./program.ts";
import { nextAttemptAt } from "./retry.ts";
import type { RunHost } from "./run_host.ts";
import { RunTimers } from "./run_timers.ts";
import { isTerminal, type Place, Status } from "./state/frame.ts";
import { keyOf, leaves } from "./state/keys.ts";
import { RunState } from "./state/run_state.ts";
import { bind } from "./state/values.ts";

const NONE: readonly never[] = Object.freeze([]);
const NO_CALLS: ReadonlyMap<string, NodeCall> = new Map();

export class ActiveRun extends Appender {
  readonly id: string;
  readonly state: RunState;
  readonly caller: Caller;
  readonly #host: RunHost;
  // Null: empty (A3).
  #calls: Map<string, NodeCall> | null = null;
  readonly #timers: RunTimers;
  readonly #durability: Durability;
  /** Ready, but the run is paused. */
  #held: Place[] | null = null;
  #seq: number;
  #reacting = false;
  #deadline: (() => void) | null = null;
  /** What became ready in the batch that is being committed. */
  #sealed: readonly Place[] = NONE;
  /** What the run keeps in memory of its input and results, about. */
  bytes = 0;
  /** Whether the batch that is being committed holds the terminal event. */
  closedInBatch = false;
  #waiters: ((event: Terminal | null) => void)[] | null = null;
  onCreated: ((duplicateOf: string | null) => void) | null = null;

  constructor(host: RunHost, params: { readonly id: string; readonly caller: Caller; readonly state: RunState }) {
    super();
    this.#host = host;
    this.id = params.id;
    this.caller = params.caller;
    this.state = params.state;
    this.#seq = params.state.seq;
    this.#timers = new RunTimers(host.clock);
    this.#durability = new Durability(this.#seq);
  }

  static create(host: RunHost, id: string, program: Program, caller: Caller): ActiveRun {
    return new ActiveRun(host, { id, caller, state: new RunState(program) });
  }

  get calls(): ReadonlyMap<string, NodeCall> {
    return this.#calls ?? NO_CALLS;
  }

  /** Appends and folds one event, and whatever follows from it at once. */
  emit(body: EventBody, place?: Place, at: number = this.#host.clock.now()): void {
    if (this.state.terminal !== null) return;
    this.#append({ runId: this.id, seq: ++this.#seq, at, ...body } as RunEvent, place);
  }

  #append(event: RunEvent, place: Place | undefined): void {
    this.#host.push(this, event);
    this.state.apply(event, place);
    this.react();
  }

  /** Decides what is to be decided, cancels what has been aborted, closes the run when its root has ended. */
  react(): void {
    const { state } = this;
    if (this.#reacting || (state.cancelled.length === 0 && state.decisions.length === 0 && !state.finished)) return;
    this.#reacting = true;
    try {
      for (;;) {
        const cancelled = state.cancelled.pop();
        if (cancelled !== undefined) {
          this.#cancel(cancelled);
          continue;
        }
        const decision = state.decisions.shift();
        if (decision !== undefined) {
          const event = decide(state, decision, this.#host.limits);
          if (event !== null) this.emit(event, decision);
          continue;
        }
        if (!state.finished || state.terminal !== null) break;
        this.emit(closing(state, this.#host.limits));
      }
    } finally {
      this.#reacting = false;
    }
  }

  /** Takes up a folded run: what was under way is sent again with its old request id (I3: only that). */
  resume(): void {
    const { state } = this;
    this.armDeadline();
    this.react();
    for (const place of [...leaves(state)]) {
      const status = place.frame.status[place.vertex]!;
      const cell = place.frame.cells[place.vertex];
      if (cell === undefined) continue;
      if (status === Status.RUNNING) this.#call(place, cell.attempt, true);
      else if (status === Status.WAITING && cell.dueAt !== null) this.#arm(place, cell.dueAt);
    }
    // A fold leaves everything that was ever ready behind: what has begun to wait since has its timer.
    this.dispatch(state.ready.splice(0).filter(({ frame, vertex }) => frame.status[vertex] === Status.READY));
  }

  /** The run's events so far go into the batch that is about to be sent. */
  seal(): void {
    this.#sealed = this.state.ready.length === 0 ? NONE : this.state.ready.splice(0);
    this.#durability.seal(this.#seq);
    this.closedInBatch = this.state.terminal !== null;
  }

  /** What the batch made ready, once it is durable. */
  takeSealed(): readonly Place[] {
    const early = this.#durability.settle();
    const sealed = this.#sealed;
    this.#sealed = NONE;
    return early.length === 0 ? sealed : [...sealed, ...early];
  }

  /** Resolves when all that has been emitted by now is durable, or will never be (fenced, stopped). */
  durable(): Promise<void> {
    return this.#durability.reached(this.#seq);
  }

  /** Starts the nodes of places that are still wanted. */
  dispatch(places: readonly Place[]): void {
    for (const place of places) {
      if (place.frame.status[place.vertex] !== Status.READY && place.frame.status[place.vertex] !== Status.WAITING) {
        continue;
      }
      if (this.state.status === "paused") (this.#held ??= []).push(place);
      else if (place.frame.block.kinds[place.vertex] === VertexKind.WAIT) this.#wait(place);
      else this.#call(place, (place.frame.cells[place.vertex]?.attempt ?? 0) + 1, false);
    }
  }

  /** After `run.resumed` is durable: what had been held back starts. */
  releaseHeld(): void {
    if (this.#held === null || this.state.status === "paused") return;
    const held = this.#held;
    this.#held = null;
    this.dispatch(held);
  }

  /** Takes back a call that was waiting for room when the run was paused. False: it may start. */
  holdBack(call: NodeCall): boolean {
    if (this.state.status !== "paused" || call.logged) return false;
    call.ended = true;
    call.cancelTimeout?.();
    this.#calls?.delete(call.nodeKey);
    (this.#held ??= []).push(call);
    return true;
  }

  armDeadline(): void {
    const deadline = this.state.created?.deadline ?? null;
    if (deadline === null || this.#deadline !== null) return;
    this.#deadline = this.#host.clock.at(deadline, () => this.abort("The run's deadline has passed", "hub"));
  }

  /** Ends the run: signals first, then the events (I5). */
  abort(reason: string, by: string): void {
    if (this.state.terminal !== null) return;
    const cause = new CallError("ABORTED", reason);
    this.#reacting = true; // until the terminal event is in, nothing is to follow from what is aborted here
    for (const call of [...this.calls.values()]) {
      call.cancel(cause);
      this.#host.release(call);
      this.#request(call);
      this.emit(
        { type: "call.aborted", key: call.nodeKey, attempt: call.attempt, requestId: call.requestId },
        call,
      );
    }
    this.#calls = null;
    this.emit({ type: "run.aborted", reason, by, counts: publicCounts(this.state) });
    this.#reacting = false;
  }

  /** Answers a waiting Signal by its name or its node's key. */
  answer(name: string, payload: Json, by: string): "answered" | "unknown" | "already" {
    let seen = false;
    for (const place of leaves(this.state)) {
      const node = this.#node(place);
      const key = keyOf(this.state, place.frame, place.vertex);
      if (node.kind !== "signal" || (node.signal !== name && key !== name)) continue;
      // Waiting without a cell is waiting for a slot: nothing has been asked yet.
      if (place.frame.status[place.vertex] === Status.WAITING && place.frame.cells[place.vertex] !== undefined) {
        this.#timers.disarm(key);
        this.emit({ type: "signal.received", key, name: node.signal, payload, by }, place);
        return "answered";
      }
      seen ||= isTerminal(place.frame.status[place.vertex]!);
    }
    return seen ? "already" : "unknown";
  }

  /** Stops all that this process does for the run, without an event: another owner will take it up. */
  abandon(reason: unknown): void {
    for (const call of this.calls.values()) call.cancel(reason);
    this.#calls = null;
    this.#stopTimers();
    this.#tellWaiters(null);
    this.#durability.giveUp();
  }

  responded(call: NodeCall, envelope: ResponseEnvelope): void {
    if (call.ended) return;
    let output: ResponseEnvelope;
    try {
      const before = this.bytes;
      const data = toJsonValue(envelope.data, `the result of node "${call.nodeKey}"`, this.#host.limits, this);
      this.#host.grow(this.bytes - before);
      output = { data, meta: envelope.meta };
    } catch (error) {
      return this.failed(call, error);
    }
    this.#finish(call);
    if (this.state.terminal !== null) return;
    const { nodeKey: key, attempt, requestId } = call;
    const at = this.#host.clock.now();
    const type = "call.responded";
    // Written out, not spread: half of all events are this one and the next.
    this.#append({ runId: this.id, seq: ++this.#seq, at, type, key, attempt, requestId, output }, call);
  }

  failed(call: NodeCall, reason: unknown): void {
    if (call.ended) return;
    this.#finish(call);
    const error = toEventError(reason, this.#host.limits);
    const { nodeKey: key, attempt, requestId } = call;
    const node = this.#node(call);
    const policy = node.kind === "operation" || node.kind === "workflow" ? node.retry : undefined;
    const { clock, random } = this.#host;
    const retryAt = nextAttemptAt({ policy, attempt, code: error.code, now: clock.now(), random });
    this.emit({ type: "call.error", key, attempt, requestId, error, retryAt }, call);
    if (retryAt !== null && this.state.terminal === null) this.#arm(call, retryAt, this.#seq);
  }

  /** Puts `call.requested` into the log, once. */
  request(call: NodeCall): void {
    if (!call.ended) this.#request(call);
  }

  #request(call: NodeCall): void {
    if (call.logged) return;
    call.logged = true;
    if (this.state.terminal !== null) return;
    const { nodeKey: key, attempt, requestId, operationId, recorded: input, startedAt: at } = call;
    const type = "call.requested";
    this.#append({ runId: this.id, seq: ++this.#seq, at, type, key, attempt, requestId, operationId, input }, call);
  }

  #finish(call: NodeCall): void {
    call.ended = true;
    call.cancelTimeout?.();
    this.#calls?.delete(call.nodeKey);
    this.#request(call);
  }

  #node(place: Place): PlanNode {
    return this.state.program.plan.nodes[place.frame.block.nodes[place.vertex]!]!;
  }

  #call(place: Place, attempt: number, logged: boolean): void {
    const { clock, ids, limits } = this.#host;
    const node = this.#node(place);
    if (node.kind !== "operation" && node.kind !== "workflow") return;
    const key = keyOf(this.state, place.frame, place.vertex);
    let given: CallInput;
    try {
      given = callInput(this.state, place.frame, node, limits);
    } catch (error) {
      return this.emit({ type: "node.failed", key, error: toEventError(error, limits) }, place);
    }
    const now = clock.now();
    const timeoutMs = node.timeoutMs;
    const call = new NodeCall({
      run: this,
      frame: place.frame,
      vertex: place.vertex,
      nodeKey: key,
      attempt,
      requestId: ids.requestId(this.id, key, attempt),
      operationId: node.kind === "operation" ? node.operationId : workflowOperation(node),
      ...given,
      deadline: timeoutMs === undefined ? this.state.created?.deadline ?? null : now + timeoutMs,
      spoke: node.kind === "operation" ? node.spoke ?? null : null,
      startedAt: now,
      logged,
    });
    (this.#calls ??= new Map()).set(key, call);
    if (timeoutMs !== undefined) call.cancelTimeout = clock.at(now + timeoutMs, () => this.#timedOut(call, timeoutMs));
    this.#host.send(call);
  }

  #timedOut(call: NodeCall, timeoutMs: number): void {
    if (call.ended) return;
    const error = new CallError("TIMEOUT", `Node "${call.nodeKey}" took longer than its timeout of ${timeoutMs} ms`, {
      deadline: call.deadline,
    });
    this.failed(call, error);
    call.cancel(error);
    this.#host.release(call);
  }

  #wait(place: Place): void {
    const node = this.#node(place);
    const { clock, limits } = this.#host;
    const key = keyOf(this.state, place.frame, place.vertex);
    try {
      if (node.kind === "sleep") {
        const due = node.until === undefined
          ? clock.now() + wantMs(bind(this.state, place.frame, node.ms ?? 0), key)
          : wantInstant(bind(this.state, place.frame, node.until), key);
        this.emit({ type: "timer.set", key, due }, place);
        this.#arm(place, due);
      } else if (node.kind === "signal") {
        const due = node.timeoutMs === undefined ? null : clock.now() + node.timeoutMs;
        const question = node.question === undefined ? {} : { question: bind(this.state, place.frame, node.question) };
        this.emit({ type: "signal.awaited", key, name: node.signal, due, ...question }, place);
        if (due !== null) this.#arm(place, due);
      }
    } catch (error) {
      this.emit({ type: "node.failed", key, error: toEventError(error, limits) }, place);
    }
  }

  /** Sets the timer of a waiting leaf: its next attempt (after the event `seq` is durable), its wake-up or its time-out. */
  #arm(place: Place, due: number, seq = 0): void {
    const key = keyOf(this.state, place.frame, place.vertex);
    if (this.#calls?.size === 0) this.#calls = null;
    this.#timers.arm(key, due, () => {
      if (place.frame.status[place.vertex] !== Status.WAITING) return;
      const node = this.#node(place);
      if (node.kind === "sleep") this.emit({ type: "timer.fired", key }, place);
      else if (node.kind === "signal") this.emit({ type: "signal.timedout", key }, place);
      else if (this.#durability.has(seq)) this.dispatch([place]);
      else this.#durability.defer(place, seq);
    });
  }

  #cancel(place: Place): void {
    const key = keyOf(this.state, place.frame, place.vertex);
    this.#timers.disarm(key);
    const call = this.#calls?.get(key);
    if (call === undefined) return;
    this.#calls?.delete(key);
    call.cancel(new CallError("ABORTED", `Node "${key}" is no longer wanted`));
    this.#host.release(call);
    if (!call.logged) return; // never announced: nothing to take back
    this.emit({ type: "call.aborted", key, attempt: call.attempt, requestId: call.requestId }, place);
  }

  /** Told when the terminal event is durable; null when this hub stops driving first. */
  onEnd(waiter: (event: Terminal | null) => void): void {
    (this.#waiters ??= []).push(waiter);
  }

  #tellWaiters(event: Terminal | null): void {
    const waiters = this.#waiters;
    this.#waiters = null;
    for (const waiter of waiters ?? []) waiter(event);
  }

  /** Nothing of a closed run stays behind: no timer, no listener. */
  closed(): void {
    this.#stopTimers();
    const event = this.state.terminal;
    if (event !== null) this.#tellWaiters(event);
  }

  #stopTimers(): void {
    this.#timers.stop();
    this.#deadline?.();
    this.#deadline = null;
  }
}
