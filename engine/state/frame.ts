import type { Json } from "@alkdev/flowgraph";
import type { Block } from "../program.ts";
import type { EventError } from "../events.ts";
import type { Asks } from "./asks.ts";

/** Status of a vertex. The order matters: everything from COMPLETED on is terminal. */
export const Status = {
  IDLE: 0,
  WAITING: 1,
  READY: 2,
  RUNNING: 3,
  COMPLETED: 4,
  FAILED: 5,
  ABORTED: 6,
  SKIPPED: 7,
} as const;
export type Status = typeof Status[keyof typeof Status];

/** The published names of the statuses, by number. */
export const STATUS_NAMES = [
  "idle",
  "waiting",
  "ready",
  "running",
  "completed",
  "failed",
  "aborted",
  "skipped",
] as const;

/** True when a vertex with this status will not change again (short of a retry that is still to be decided). */
export function isTerminal(status: Status): boolean {
  return status >= Status.COMPLETED;
}

/** What the log says of one leaf, or of a container that failed by itself. */
export interface Cell {
  attempt: number;
  requestId: string | null;
  input: Json | undefined;
  /** The data of the outcome; undefined until completed. */
  data: Json | undefined;
  error: EventError | null;
  /** Ms epoch; null until known. */
  startedAt: number | null;
  completedAt: number | null;
  /** When the next attempt, timer or time-out is due, ms epoch; null for none. */
  dueAt: number | null;
  /** Seq of the event that ended it; 0 until then. */
  endedSeq: number;
  /** Where the result comes from; absent: it is this run's own. */
  reusedFrom?: { readonly runId: string; readonly requestId: string | null };
}

/** The frames of a Map or Loop. */
export interface Expansion {
  /** Items or turns known so far. */
  count: number;
  readonly items: readonly Json[];
  readonly frames: Frame[];
  /** Frames not yet done. */
  active: number;
  /** Items that `maxConcurrency` holds back and of which something was asked: by index, taken in when it is their turn. */
  ahead: Map<number, Frame> | null;
}

/** The semaphore of a Parallel with `maxConcurrency`. */
export interface SlotGroup {
  active: number;
  readonly queue: number[];
  /** Next of `queue` to be served. */
  head: number;
  readonly held: Set<number>;
}

/** One instance of a block: the plan's own, or one item of a Map, or one turn of a Loop. */
export class Frame {
  readonly block: Block;
  /** The frame that holds this one's Map or Loop; null for the run's own. */
  readonly outer: Frame | null;
  readonly index: number;
  readonly item: Json;
  /** Appended to plan keys: `[3][0]`, "" for the run's own frame. */
  readonly suffix: string;
  readonly status: Status[];
  readonly pending: number[];
  readonly cells: (Cell | undefined)[];
  tainted: Set<number> | null = null;
  expansions: Map<number, Expansion> | null = null;
  groups: Map<number, SlotGroup> | null = null;
  taken: Map<number, "then" | "else" | "none"> | null = null;
  /** Null: nobody has asked anything of a node of this frame. */
  asks: Asks | null = null;

  constructor(block: Block, outer: Frame | null, index: number, item: Json) {
    this.block = block;
    this.outer = outer;
    this.index = index;
    this.item = item;
    this.suffix = outer === null ? "" : `${outer.suffix}[${index}]`;
    this.status = new Array<Status>(block.kinds.length).fill(Status.IDLE);
    this.pending = block.pending.slice();
    this.cells = new Array<Cell | undefined>(block.kinds.length).fill(undefined);
  }

  cell(vertex: number): Cell {
    return this.cells[vertex] ??= {
      attempt: 0,
      requestId: null,
      input: undefined,
      data: undefined,
      error: null,
      startedAt: null,
      completedAt: null,
      dueAt: null,
      endedSeq: 0,
    };
  }
}

/** A vertex in a frame. */
export interface Place {
  readonly frame: Frame;
  readonly vertex: number;
}
