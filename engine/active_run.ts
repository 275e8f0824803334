/**
 * One run that this hub drives: turns what its state asks for into events and dispatches. Everything here is synchronous; the
 * engine calls it between two commits.
 *
 * - A1 Every event goes through `emit`: appended and folded in the same step, in seq order.
 * - A2 A node is dispatched only from `dispatch`, which the engine calls when the events that made it ready are durable; of a run
 *   whose durability is `after`, as soon as they are appended.
 * - A3 A run that waits keeps no collection that is empty: it may do so for months, beside a hundred thousand others.
 */
import type { PlanNode } from "@alkdev/flowgraph";
import { closing, decide } from "./decide.ts";
import { Durability } from "./durability.ts";
import type { Caller, EventBody, RunEvent, Terminal } from "./events.ts";
import { Appender } from "./group_commit.ts";
import type { NodeCall } from "./node_call.ts";
import { type Program, VertexKind } from "./program.ts";
import { RunCalls } from "./run_calls.ts";
import { endOverdue } from "./run_commands.ts";
import { RunEntry } from "./run_gate.ts";
import type { RunHost } from "./run_host.ts";
import { RunWaits } from "./run_waits.ts";
import { pausedAround } from "./state/asks.ts";
import { type Place, Status } from "./state/frame.ts";
import { keyOf, leaves, locate } from "./state/keys.ts";
import { RunState } from "./state/run_state.ts";
import { awaitsSlot } from "./state/slots.ts";

const NONE: readonly never[] = Object.freeze([]);

export class ActiveRun extends Appender {
  readonly id: string;
  /** Replaced when the run moves to another version. */
  state: RunState;
  readonly caller: Caller;
  readonly #host: RunHost;
  readonly calls: RunCalls;
  readonly waits: RunWaits;
  readonly #durability: Durability;
  /** Ready, but the run, or a node around it, is paused. */
  #held: Place[] | null = null;
  /** Seq of the latest resumption after which nothing has been released yet; 0 for none. */
  #resumedSeq = 0;
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
  /** Collects what is appended while a migration reads the log; null: none is under way. */
  tail: RunEvent[] | null = null;
  /** Its nodes do not wait for what is before them to be durable: a crash may lose its latest events, and the run with them. */
  isAhead = false;
  onCreated: ((duplicateOf: string | null) => void) | null = null;
  /** Null: it has no gate. */
  #entry: RunEntry | null = null;

  constructor(host: RunHost, params: { readonly id: string; readonly caller: Caller; readonly state: RunState }) {
    super();
    this.#host = host;
    this.id = params.id;
    this.caller = params.caller;
    this.state = params.state;
    this.#seq = params.state.seq;
    this.calls = new RunCalls(this, host);
    this.waits = new RunWaits(this, host);
    this.#durability = new Durability(this.#seq);
  }

  static create(host: RunHost, id: string, program: Program, caller: Caller): ActiveRun {
    return new ActiveRun(host, { id, caller, state: new RunState(program) });
  }

  /** Seq of the last event emitted. */
  get seq(): number {
    return this.#seq;
  }

  nextSeq(): number {
    return ++this.#seq;
  }

  /** The plan's node at a place. */
  node(place: Place): PlanNode {
    return this.state.program.plan.nodes[place.frame.block.nodes[place.vertex]!]!;
  }

  /** Appends and folds one event, and whatever follows from it at once. */
  emit(body: EventBody, place?: Place, at: number = this.#host.clock.now()): void {
    if (this.state.terminal !== null) return;
    this.append({ runId: this.id, seq: ++this.#seq, at, ...body } as RunEvent, place);
  }

  /** As {@linkcode emit}, of an event with its head: the caller has seen that the run has not ended. */
  append(event: RunEvent, place: Place | undefined): void {
    this.#host.push(this, event);
    if (this.tail !== null) this.tail.push(event);
    this.state.apply(event, place);
    this.react();
    if (this.isAhead) this.#goAhead();
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
    this.enterGate();
    this.react();
    for (const place of [...leaves(state)]) {
      const status = place.frame.status[place.vertex]!;
      const cell = place.frame.cells[place.vertex];
      if (cell === undefined) continue;
      if (status === Status.RUNNING) this.calls.start(place, cell.attempt, true);
      else if (status === Status.WAITING && cell.dueAt !== null) this.waits.arm(place, cell.dueAt);
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

  #goAhead(): void {
    if (!this.#reacting && this.state.ready.length > 0) this.dispatch(this.state.ready.splice(0));
  }

  /** Starts the nodes of places that are still wanted. */
  dispatch(places: readonly Place[]): void {
    for (const place of places) {
      const status = place.frame.status[place.vertex];
      if (status !== Status.READY && (status !== Status.WAITING || this.calls.has(place))) continue;
      if (this.isHeld(place)) (this.#held ??= []).push(place);
      else if (place.frame.block.kinds[place.vertex] === VertexKind.WAIT) this.waits.begin(place);
      else this.calls.start(place, (place.frame.cells[place.vertex]?.attempt ?? 0) + 1, false);
    }
  }

  /** Starts a node whose time has come, once the event `seq` is durable. */
  dispatchAfter(place: Place, seq: number): void {
    if (this.#durability.has(seq)) this.dispatch([place]);
    else this.#durability.defer(place, seq);
  }

  /** Whether the run, or a node around the place, is paused. */
  isHeld(place: Place): boolean {
    const { state } = this;
    return state.status === "paused" ||
      (state.pausedNodes > 0 && pausedAround(state, place.frame, place.frame.block.nodes[place.vertex]!) !== null);
  }

  /** Something has just been resumed: what had been held back starts when that is durable. */
  resumed(): void {
    this.#resumedSeq = this.#seq;
  }

  releaseHeld(): void {
    if (this.state.status === "queued") this.enterGate();
    if (this.#held === null || this.#resumedSeq === 0 || !this.#durability.has(this.#resumedSeq)) return;
    this.#resumedSeq = 0;
    const held = this.#held;
    this.#held = null;
    this.dispatch(held);
  }

  /** Takes back a call that was waiting for room when it was paused. False: it may start. */
  holdBack(call: NodeCall): boolean {
    if (call.logged || !this.isHeld(call)) return false;
    this.calls.takeBack(call);
    (this.#held ??= []).push(call);
    return true;
  }

  /** Waits to be let in, if the run has a gate; called once its first event is durable, and when it is resumed. */
  enterGate(): void {
    const { created } = this.state;
    if (created?.gate === undefined) return;
    (this.#entry ??= new RunEntry(this, this.#host, created)).enter();
  }

  armDeadline(): void {
    const deadline = this.state.created?.deadline ?? null;
    if (deadline === null || this.#deadline !== null) return;
    this.#deadline = this.#host.clock.at(deadline, () => endOverdue(this));
  }

  /** Nothing is decided or closed while `act` emits. What is due then is done by the next event. */
  withoutReaction(act: () => void): void {
    this.#reacting = true;
    try {
      act();
    } finally {
      this.#reacting = false;
    }
  }

  /**
   * Goes on from another state of the same log, in which every node that has begun stands as it does here. What is under way,
   * held back or waited for is carried over by key; what is ready there and nobody has sent becomes ready here. What had not been
   * sent and is in line for a slot there starts out of that line (I7).
   */
  moveTo(state: RunState): void {
    const old = this.state;
    const carried = new Set(this.calls.all.map(({ nodeKey }) => nodeKey));
    const carry = (place: Place): Place => {
      const key = keyOf(old, place.frame, place.vertex);
      carried.add(key);
      // A node that is nowhere in the new state had not begun, and is not wanted any more.
      return locate(state, key) ?? place;
    };
    this.state = state;
    const carryAll = (places: readonly Place[]): Place[] => places.map(carry).filter((place) => !awaitsSlot(place));
    if (this.#held !== null) this.#held = carryAll(this.#held);
    this.#sealed = carryAll(this.#sealed);
    this.#durability.carry(carry);
    this.calls.carry((key) => locate(state, key));
    this.waits.stop();
    for (const place of leaves(state)) {
      const due = place.frame.cells[place.vertex]?.dueAt ?? null;
      const waits = place.frame.status[place.vertex] === Status.WAITING && due !== null;
      if (waits && !carried.has(keyOf(state, place.frame, place.vertex))) this.waits.arm(place, due, this.#seq);
    }
    state.cancelled.length = 0; // long since carried out
    const ready = state.ready.splice(0).filter(({ frame, vertex }) =>
      frame.status[vertex] === Status.READY && !carried.has(keyOf(state, frame, vertex))
    );
    state.ready.push(...ready);
  }

  /** Stops all that this process does for the run, without an event: another owner will take it up. */
  abandon(reason: unknown): void {
    this.calls.abandon(reason);
    this.#entry?.stop();
    this.#stopTimers();
    this.#tellWaiters(null);
    this.#durability.giveUp();
  }

  #cancel(place: Place): void {
    const key = keyOf(this.state, place.frame, place.vertex);
    this.waits.disarm(key);
    this.calls.cancel(place, key);
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
    this.#entry?.leave();
    const event = this.state.terminal;
    if (event !== null) this.#tellWaiters(event);
  }

  #stopTimers(): void {
    this.waits.stop();
    this.#deadline?.();
    this.#deadline = null;
  }
}
