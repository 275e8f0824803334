/** What people have asked of single nodes of a run. */
import type { EventOf } from "../events.ts";
import { type Frame, isTerminal, type Place, Status } from "./frame.ts";
import type { RunState } from "./run_state.ts";

/** Somebody's abort of a node. */
export interface AskedAbort {
  readonly reason: string;
  readonly seq: number;
  /** Ms since the epoch. */
  readonly at: number;
}

/** Asked of the nodes of one frame. */
export interface Asks {
  /** Exit vertex of a node that was aborted by itself: where a failure comes from. */
  readonly aborted: Set<number>;
  /** Entry vertex of a node that is to be aborted when it is its turn: what has not begun cannot end. */
  readonly doomed: Map<number, AskedAbort>;
  /** Plan index of a node nothing of which may start. */
  readonly paused: Set<number>;
}

/** The asks of a frame, made on first use. */
export function asksOf(frame: Frame): Asks {
  return frame.asks ??= { aborted: new Set(), doomed: new Map(), paused: new Set() };
}

export type AskType = "node.aborted" | "node.paused" | "node.resumed" | "node.nudged";

/** Folds what is asked of a node that has not ended. True: it is to be aborted now. */
export function applyAsk(state: RunState, { frame, vertex }: Place, event: EventOf<AskType>): boolean {
  const index = frame.block.nodes[vertex]!;
  if (isTerminal(frame.status[state.program.exit[index]!]!)) return false;
  switch (event.type) {
    case "node.aborted":
      if (frame.status[vertex] !== Status.IDLE) return true;
      asksOf(frame).doomed.set(vertex, event);
      return false;
    case "node.paused": {
      const { paused } = asksOf(frame);
      if (!paused.has(index)) state.pausedNodes++;
      paused.add(index);
      return false;
    }
    case "node.resumed":
      if (frame.asks?.paused.delete(index) === true) state.pausedNodes--;
      return false;
    case "node.nudged":
      if (frame.status[vertex] === Status.WAITING) frame.cell(vertex).dueAt = event.at;
      return false;
  }
}

/** A node has just been aborted by itself. */
export function noteAborted(frame: Frame, exit: number, { reason, at, seq }: AskedAbort): void {
  asksOf(frame).aborted.add(exit);
  const cell = frame.cell(exit);
  cell.error = { code: "ABORTED", message: reason };
  cell.dueAt = null;
  cell.completedAt = at;
  cell.endedSeq = seq;
}

/** The key of the innermost paused node around (or at) a plan node's instance; null for none. */
export function pausedAround(state: RunState, frame: Frame, index: number): string | null {
  if (state.pausedNodes === 0) return null;
  const { nodes } = state.program.plan;
  let [home, at]: [Frame, number] = [frame, index];
  while (at >= 0) {
    if (home.asks !== null && home.asks.paused.has(at)) return nodes[at]!.key + home.suffix;
    if (at === home.block.root && home.outer !== null) home = home.outer;
    at = nodes[at]!.parent;
  }
  return null;
}

/** Plan index of the node around (or at) an aborted vertex, in its own frame, that was aborted by itself; -1 for none. */
export function abortedAround(state: RunState, frame: Frame, vertex: number): number {
  const { asks, block } = frame;
  if (asks === null || asks.aborted.size === 0 || frame.status[vertex] !== Status.ABORTED) return -1;
  const { program } = state;
  for (let at = block.nodes[vertex]!; at >= block.root; at = program.plan.nodes[at]!.parent) {
    if (asks.aborted.has(program.exit[at]!)) return at;
  }
  return -1;
}
