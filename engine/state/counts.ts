import type { NodeCounts } from "../events.ts";
import { Status } from "./frame.ts";
import { leaves } from "./keys.ts";
import type { RunState } from "./run_state.ts";

/** Leaves by status, over all frames that exist. */
export function countNodes(state: RunState): NodeCounts & { readonly running: number; readonly waiting: number } {
  const by = new Array<number>(8).fill(0);
  let total = 0;
  for (const { frame, vertex } of leaves(state)) {
    total++;
    by[frame.status[vertex]!]!++;
  }
  return {
    total,
    completed: by[Status.COMPLETED]!,
    failed: by[Status.FAILED]!,
    aborted: by[Status.ABORTED]!,
    skipped: by[Status.SKIPPED]!,
    running: by[Status.RUNNING]!,
    waiting: by[Status.WAITING]!,
  };
}
