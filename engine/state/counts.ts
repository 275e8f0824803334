import type { NodeCounts } from "../events.ts";
import { isLeaf } from "../program.ts";
import { Status } from "./frame.ts";
import type { RunState } from "./run_state.ts";

/** Leaves by status, over all frames that exist. */
export function countNodes(state: RunState): NodeCounts & { readonly running: number; readonly waiting: number } {
  const by = new Array<number>(8).fill(0);
  let total = 0;
  // Not by `leaves`: every run is counted when it ends, and a generator costs half a KiB of garbage.
  const { nodes } = state.program.plan;
  const frames = [state.root];
  for (let frame = frames.pop(); frame !== undefined; frame = frames.pop()) {
    const { status, block, expansions } = frame;
    for (let vertex = 0; vertex < status.length; vertex++) {
      if (!isLeaf(nodes[block.nodes[vertex]!]!)) continue;
      total++;
      by[status[vertex]!]!++;
    }
    if (expansions === null) continue;
    for (const expansion of expansions.values()) for (const inner of expansion.frames) frames.push(inner);
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
