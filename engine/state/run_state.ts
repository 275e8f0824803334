/**
 * The state of one run as the fold of its events, and only that (I6). Pure: no clock, no I/O, no randomness, no recursion over
 * the plan's size. Readiness is counted: a vertex is reached when its last predecessor has ended, however it ended.
 *
 * - S1 `apply` is called in seq order; afterwards `ready`, `decisions` and `cancelled` hold what the driver has to act on.
 * - S2 `ready` is the only way to a dispatch, `decisions` the only way to a recorded decision. A place enters each once per
 *   attempt; its status may have moved on since, so the driver re-checks it.
 * - S3 A terminal status changes only when a person asks (never here): a late outcome is ignored (I2).
 * - S4 Failure follows edges, and so does the abort of a node. A gate (Conditional) whose test covers the failure is reached all the same.
 */
import type { Json } from "@alkdev/flowgraph";
import { childrenOf, type Program, VertexKind } from "../program.ts";
import type { EventOf, RunEvent, RunStatus } from "../events.ts";
import { applyAsk, type AskedAbort, type AskType, noteAborted } from "./asks.ts";
import { type EarlySignal, keepEarly, takeAnswer } from "./early_signals.ts";
import { coversFailure } from "./failure.ts";
import { type Cell, type Expansion, Frame, isTerminal, type Place, Status } from "./frame.ts";
import { locate, locateAhead } from "./keys.ts";
import { fillRequested, fillWaiting } from "./fill_cell.ts";
import { keepOffer, useOffer } from "./offers.ts";
import { releaseSlot, takeSlot } from "./slots.ts";
import { mapItems } from "./values.ts";

/** What has ended and not yet spread. One stack for all runs: `apply` ends with it empty, and nothing runs in between. */
const endedFrames: Frame[] = [];
const endedVertices: number[] = [];

export class RunState {
  readonly program: Program;
  readonly root: Frame;
  input: Json = null;
  created: EventOf<"run.created"> | null = null;
  /** The newest migration; null: the run is on the version that it started with. */
  migrated: EventOf<"run.migrated"> | null = null;
  status: RunStatus = "queued";
  /** False: it waits at its gate. */
  started = false;
  terminal: EventOf<"run.completed" | "run.failed" | "run.aborted"> | null = null;
  seq = 0;
  /** Answers that came before they were waited for; null: none. */
  early: EarlySignal[] | null = null;
  /** Nodes that are paused by themselves. */
  pausedNodes = 0;
  /** True when the root has ended: all that is missing is the terminal event. */
  finished = false;
  /** To be dispatched. The driver takes them out. */
  readonly ready: Place[] = [];
  /** Gates, Maps and Loops to be decided. The driver takes them out. */
  readonly decisions: Place[] = [];
  /** Calls and waits that were under way when something aborted them. The driver takes them out. */
  readonly cancelled: Place[] = [];
  /** Results of another run, by key, for nodes that have not become ready yet. Null: none. */
  offers: Map<string, EventOf<"node.reused">> | null = null;

  constructor(program: Program) {
    this.program = program;
    this.root = new Frame(program.root, null, 0, null);
  }

  /** Folds one event in. `place` spares the look-up of its key. */
  apply(event: RunEvent, place?: Place): void {
    this.seq = event.seq;
    switch (event.type) {
      case "run.created":
        this.created = event;
        this.input = event.input;
        if (event.gate === undefined) this.#start();
        break;
      case "run.started":
        this.#start();
        break;
      case "run.paused":
        this.status = "paused";
        break;
      case "run.resumed":
        this.status = this.started ? "running" : "queued";
        break;
      case "run.migrated":
        this.migrated = event;
        break;
      case "run.completed":
      case "run.failed":
      case "run.aborted":
        this.#end(event);
        break;
      case "node.reused":
        keepOffer(this, event, (at) => this.#reuse(at.frame, at.vertex));
        break;
      case "signal.buffered":
        keepEarly(this, event);
        break;
      case "node.aborted":
      case "node.paused":
      case "node.resumed":
      case "node.nudged": {
        const at = place ?? locateAhead(this, event.key);
        if (at !== null && applyAsk(this, at, event) && event.type === "node.aborted") {
          this.#abortNode(at.frame, at.vertex, event);
        }
        break;
      }
      default: {
        const at = place ?? locate(this, event.key);
        if (at !== null) this.#applyTo(at.frame, at.vertex, event);
      }
    }
    this.#propagate();
  }

  #start(): void {
    this.started = true;
    if (this.status === "queued") this.status = "running";
    this.#arrive(this.root, this.program.entry[0]!);
  }

  #end(event: EventOf<"run.completed" | "run.failed" | "run.aborted">): void {
    this.terminal = event;
    this.status = event.type === "run.completed" ? "completed" : event.type === "run.failed" ? "failed" : "aborted";
    this.#abortRange(this.root, 0, this.root.status.length - 1);
    this.#propagate();
    this.ready.length = 0;
    this.decisions.length = 0;
  }

  /** Ends a node that has begun; its own end, and not what ends with it, is where the failure comes from. */
  #abortNode(frame: Frame, vertex: number, ask: AskedAbort): void {
    const exit = this.program.exit[frame.block.nodes[vertex]!]!;
    this.#abortRange(frame, vertex, exit);
    noteAborted(frame, exit, ask);
  }

  #applyTo(
    frame: Frame,
    vertex: number,
    event: Exclude<RunEvent, { type: `run.${string}` | "node.reused" | AskType | "signal.buffered" }>,
  ): void {
    if (isTerminal(frame.status[vertex]!) && event.type !== "loop.turned") {
      if (event.type === "call.aborted") frame.cell(vertex).completedAt ??= event.at;
      if (event.type === "node.failed" && frame.block.kinds[vertex] === VertexKind.LOOP) {
        this.#failTurn(frame, vertex, event);
      }
      return;
    }
    switch (event.type) {
      case "call.requested":
        fillRequested(frame.cell(vertex), event);
        frame.status[vertex] = Status.RUNNING;
        return;
      case "call.responded":
        frame.cell(vertex).data = (event.output.data ?? null) as Json;
        frame.cell(vertex).error = null; // of an earlier attempt: the latest counts
        return this.#endVertex(frame, vertex, Status.COMPLETED, event);
      case "call.error": {
        const cell = frame.cell(vertex);
        cell.error = event.error;
        cell.attempt = event.attempt;
        if (event.retryAt === null) return this.#endVertex(frame, vertex, Status.FAILED, event);
        cell.dueAt = event.retryAt;
        frame.status[vertex] = Status.WAITING;
        return;
      }
      case "call.aborted":
        return this.#endVertex(frame, vertex, Status.ABORTED, event);
      case "node.failed":
        frame.cell(vertex).error = event.error;
        return this.#endVertex(frame, vertex, Status.FAILED, event);
      case "branch.taken":
        return this.#takeBranch(frame, vertex, event.branch);
      case "map.expanded":
        return this.#expand(frame, vertex, event);
      case "loop.turned":
        return this.#turn(frame, vertex, event.again);
      case "timer.set":
      case "signal.awaited":
        fillWaiting(frame.cell(vertex), event);
        frame.status[vertex] = Status.WAITING;
        return;
      case "timer.fired":
      case "signal.received":
        frame.cell(vertex).data = event.type === "timer.fired" ? null : takeAnswer(this, event);
        return this.#endVertex(frame, vertex, Status.COMPLETED, event);
      case "signal.timedout":
        frame.cell(vertex).error = { code: "TIMEOUT", message: "No answer came in time" };
        return this.#endVertex(frame, vertex, Status.FAILED, event);
    }
  }

  #endVertex(frame: Frame, vertex: number, status: Status, event: RunEvent): void {
    const cell: Cell = frame.cell(vertex);
    cell.completedAt = event.at;
    cell.dueAt = null;
    cell.endedSeq = event.seq;
    this.#settle(frame, vertex, status);
  }

  #settle(frame: Frame, vertex: number, status: Status): void {
    frame.status[vertex] = status;
    endedFrames.push(frame);
    endedVertices.push(vertex);
  }

  /** Works off what has ended until nothing new ends. */
  #propagate(): void {
    try {
      while (endedFrames.length > 0) this.#spread(endedFrames.pop()!, endedVertices.pop()!);
    } catch (error) {
      endedFrames.length = endedVertices.length = 0;
      throw error;
    }
  }

  #spread(frame: Frame, vertex: number): void {
    const status = frame.status[vertex]!;
    const bad = status === Status.FAILED || status === Status.ABORTED;
    const { block } = frame;
    const successors = block.successors[vertex]!;
    for (let i = 0; i < successors.length; i++) {
      const next = successors[i]!;
      if (bad) (frame.tainted ??= new Set()).add(next);
      else if (block.kinds[next] === VertexKind.RACE_EXIT && status === Status.COMPLETED) {
        this.#winRace(frame, vertex, next);
      }
      if (--frame.pending[next]! === 0) this.#arrive(frame, next);
    }
    const entry = block.slotEntry[vertex]!;
    if (entry >= 0) releaseSlot(this.program, frame, entry, (next) => this.#begin(frame, next));
    if (vertex === this.program.exit[block.root]) this.#frameDone(frame, bad);
  }

  #arrive(frame: Frame, vertex: number): void {
    if (frame.status[vertex] !== Status.IDLE) return;
    const kind = frame.block.kinds[vertex]!;
    const tainted = frame.tainted !== null && frame.tainted.has(vertex);
    if (kind === VertexKind.EXIT || kind === VertexKind.FRAMES_EXIT || kind === VertexKind.RACE_EXIT) {
      return this.#settle(frame, vertex, tainted ? Status.FAILED : Status.COMPLETED);
    }
    if (tainted && !(kind === VertexKind.GATE && coversFailure(this, frame, vertex))) {
      return this.#abortRange(frame, vertex, this.program.exit[frame.block.nodes[vertex]!]!);
    }
    const doom = frame.asks?.doomed.get(vertex);
    if (doom !== undefined) return this.#abortNode(frame, vertex, doom);
    if (frame.block.slotOf[vertex]! >= 0 && !takeSlot(this.program, frame, vertex)) return;
    this.#begin(frame, vertex);
  }

  #begin(frame: Frame, vertex: number): void {
    switch (frame.block.kinds[vertex]!) {
      case VertexKind.ENTER:
        return this.#settle(frame, vertex, Status.COMPLETED);
      case VertexKind.LOOP:
        return this.#startLoop(frame, vertex);
      case VertexKind.GATE:
      case VertexKind.EXPAND:
        frame.status[vertex] = Status.READY;
        this.decisions.push({ frame, vertex });
        return;
      default:
        if (this.offers !== null && this.#reuse(frame, vertex)) return;
        frame.status[vertex] = Status.READY;
        this.ready.push({ frame, vertex });
    }
  }

  #reuse(frame: Frame, vertex: number): boolean {
    const isReused = useOffer(this, frame, vertex);
    if (isReused) this.#settle(frame, vertex, Status.COMPLETED);
    return isReused;
  }

  #takeBranch(frame: Frame, vertex: number, branch: "then" | "else" | "none"): void {
    (frame.taken ??= new Map()).set(vertex, branch);
    const { plan, entry, exit } = this.program;
    for (const child of childrenOf(plan, frame.block.nodes[vertex]!)) {
      if (plan.nodes[child]!.branch !== branch) this.#skipRange(frame, entry[child]!, exit[child]!);
    }
    this.#settle(frame, vertex, Status.COMPLETED);
  }

  #skipRange(frame: Frame, first: number, last: number): void {
    for (let vertex = first; vertex <= last; vertex++) {
      if (frame.status[vertex] === Status.IDLE) this.#settle(frame, vertex, Status.SKIPPED);
    }
  }

  /** Ends all that has not ended in a subtree, and in the frames below it. */
  #abortRange(frame: Frame, first: number, last: number): void {
    const frames = [frame];
    for (let current = frames.pop(); current !== undefined; current = frames.pop()) {
      const end = current === frame ? last : current.status.length - 1;
      for (let vertex = current === frame ? first : 0; vertex <= end; vertex++) {
        const status = current.status[vertex]!;
        const expansion = current.expansions?.get(vertex);
        if (expansion !== undefined) {
          expansion.count = expansion.frames.length;
          expansion.ahead = null;
          for (const inner of expansion.frames) frames.push(inner);
        }
        if (isTerminal(status)) continue;
        if (status === Status.RUNNING || (status === Status.WAITING && current.cells[vertex] !== undefined)) {
          this.cancelled.push({ frame: current, vertex });
        } else if (status === Status.READY) this.cancelled.push({ frame: current, vertex });
        this.#settle(current, vertex, Status.ABORTED);
      }
    }
  }

  #winRace(frame: Frame, winner: number, exit: number): void {
    if (frame.status[exit] !== Status.IDLE) return;
    const { program } = this;
    for (const child of childrenOf(program.plan, frame.block.nodes[exit]!)) {
      if (program.exit[child] !== winner) this.#abortRange(frame, program.entry[child]!, program.exit[child]!);
    }
    this.#settle(frame, exit, Status.COMPLETED);
  }

  #expand(frame: Frame, vertex: number, event: EventOf<"map.expanded">): void {
    const items = event.items ?? mapItems(this, frame, vertex) ?? [];
    const expansion: Expansion = { count: event.count, items, frames: [], active: 0, ahead: null };
    (frame.expansions ??= new Map()).set(vertex, expansion);
    frame.pending[this.program.exit[frame.block.nodes[vertex]!]!]! += event.count;
    this.#settle(frame, vertex, Status.COMPLETED);
    this.#launch(frame, vertex, expansion);
  }

  #launch(frame: Frame, vertex: number, expansion: Expansion): void {
    const index = frame.block.nodes[vertex]!;
    const node = this.program.plan.nodes[index]!;
    const max = node.kind === "map" ? node.maxConcurrency ?? Infinity : Infinity;
    while (expansion.frames.length < expansion.count && expansion.active < max) {
      const position = expansion.frames.length;
      this.#open(frame, index, expansion, expansion.items[position] ?? null);
    }
  }

  #open(frame: Frame, index: number, expansion: Expansion, item: Json): void {
    const position = expansion.frames.length;
    const inner = expansion.ahead?.get(position) ?? new Frame(this.program.bodies.get(index)!, frame, position, item);
    expansion.ahead?.delete(position);
    expansion.frames.push(inner);
    expansion.active++;
    this.#arrive(inner, this.program.entry[inner.block.root]!);
  }

  #startLoop(frame: Frame, vertex: number): void {
    const index = frame.block.nodes[vertex]!;
    const expansion: Expansion = { count: 1, items: [], frames: [], active: 0, ahead: null };
    (frame.expansions ??= new Map()).set(vertex, expansion);
    frame.pending[this.program.exit[index]!]!++;
    this.#settle(frame, vertex, Status.COMPLETED);
    this.#open(frame, index, expansion, 0);
  }

  #turn(frame: Frame, vertex: number, again: boolean): void {
    const expansion = frame.expansions?.get(vertex);
    const index = frame.block.nodes[vertex]!;
    const exit = this.program.exit[index]!;
    if (expansion === undefined || isTerminal(frame.status[exit]!)) return;
    if (again) {
      expansion.count++;
      this.#open(frame, index, expansion, expansion.frames.length);
    } else if (--frame.pending[exit]! === 0) this.#arrive(frame, exit);
  }

  /** Whether a Loop goes on could not be told: it has begun, so it is its exit that fails. */
  #failTurn(frame: Frame, vertex: number, event: EventOf<"node.failed">): void {
    const exit = this.program.exit[frame.block.nodes[vertex]!]!;
    if (isTerminal(frame.status[exit]!)) return;
    const cell = frame.cell(vertex);
    cell.error = event.error;
    cell.completedAt = event.at;
    cell.endedSeq = event.seq;
    frame.status[vertex] = Status.FAILED;
    (frame.tainted ??= new Set()).add(exit);
    if (--frame.pending[exit]! === 0) this.#arrive(frame, exit);
  }

  #frameDone(frame: Frame, bad: boolean): void {
    const { outer, block } = frame;
    if (outer === null) {
      this.finished = true;
      return;
    }
    const enter = this.program.entry[block.owner]!;
    const exit = this.program.exit[block.owner]!;
    const expansion = outer.expansions!.get(enter)!;
    expansion.active--;
    if (isTerminal(outer.status[exit]!)) return;
    const node = this.program.plan.nodes[block.owner]!;
    if (node.kind === "loop" && !bad && expansion.frames.length < node.maxIterations) {
      this.decisions.push({ frame: outer, vertex: enter });
      return;
    }
    if (bad) (outer.tainted ??= new Set()).add(exit);
    if (--outer.pending[exit]! === 0) this.#arrive(outer, exit);
    if (node.kind === "map") this.#launch(outer, enter, expansion);
  }
}
