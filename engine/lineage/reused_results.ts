import type { NodeReused } from "../events.ts";
import { workflowOperation } from "../node_values.ts";
import { keyOf } from "../state/keys.ts";
import type { RunState } from "../state/run_state.ts";
import { type InvalidPlaces, validLeaves } from "./invalid_places.ts";

/** What a run made of this one takes over: the results that are still good, of the nodes that `keep` (by plan key) allows. */
export function reusedResults(
  state: RunState,
  params: {
    readonly runId: string;
    readonly invalid: InvalidPlaces;
    /** Absent: all. */
    readonly keep?: (planKey: string) => boolean;
  },
): readonly NodeReused[] {
  const { runId, invalid, keep } = params;
  const results: NodeReused[] = [];
  for (const { frame, vertex } of validLeaves(state, invalid)) {
    const node = state.program.plan.nodes[frame.block.nodes[vertex]!]!;
    if (keep !== undefined && !keep(node.key)) continue;
    const cell = frame.cells[vertex];
    if (cell === undefined) continue;
    results.push({
      type: "node.reused",
      key: keyOf(state, frame, vertex),
      source: cell.reusedFrom ?? { runId, requestId: cell.requestId },
      attempt: cell.attempt,
      ...(node.kind === "operation" && { operationId: node.operationId }),
      ...(node.kind === "workflow" && { operationId: workflowOperation(node) }),
      ...(cell.input !== undefined && { input: cell.input }),
      data: cell.data ?? null,
      startedAt: cell.startedAt,
      completedAt: cell.completedAt,
    });
  }
  return results;
}
