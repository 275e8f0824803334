import { compileProgram, foldRun, type Frame, type RunEvent, type RunState } from "../../engine/mod.ts";
import type { Plan } from "@alkdev/flowgraph";

/** The whole state of a run as text: frames, cells, counters, semaphores (I6). */
export function snapshot(state: RunState): string {
  return JSON.stringify([
    state.seq,
    state.status,
    state.finished,
    state.pausedNodes,
    state.early,
    [...state.offers?.keys() ?? []],
    state.input,
    frameOf(state.root),
  ]);
}

function frameOf(frame: Frame): unknown {
  return [
    frame.suffix,
    frame.item,
    frame.status,
    frame.pending,
    frame.cells,
    [...frame.tainted ?? []].sort((a, b) => a - b),
    [...frame.taken ?? []],
    frame.asks === null ? null : [
      [...frame.asks.aborted],
      [...frame.asks.doomed].map(([vertex, { reason, seq }]) => [vertex, reason, seq]),
      [...frame.asks.paused],
    ],
    [...frame.groups ?? []].map((
      [vertex, group],
    ) => [vertex, group.active, group.queue.slice(group.head), [...group.held]]),
    [...frame.expansions ?? []].map(([vertex, expansion]) => [
      vertex,
      expansion.count,
      expansion.active,
      expansion.frames.map(frameOf),
      // What was asked of an item that is held back, and not that somebody has looked.
      [...expansion.ahead ?? []].filter(([, inner]) => inner.asks !== null).map(([at, inner]) => [at, frameOf(inner)]),
    ]),
  ];
}

/** The state that a log alone gives. */
export function foldedSnapshot(plan: Plan, events: readonly RunEvent[]): string {
  return snapshot(foldRun(compileProgram(plan), events));
}
