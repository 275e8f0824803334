/** What people ask of one node of a live run, as events. Synchronous, like everything that drives a run. */
import type { Json } from "@alkdev/flowgraph";
import type { ActiveRun } from "./active_run.ts";
import { isTerminal, type Place, Status } from "./state/frame.ts";
import { keyOf, locateAhead } from "./state/keys.ts";

/** What can be asked of one node, by its key: a leaf, a container, an item of a Map. */
export type NodeCommand =
  | { readonly type: "abort"; readonly reason: string }
  /** `nudge`: the next attempt now; `give-up`: no further attempt. Both of a node that waits for one. */
  | { readonly type: "pause" | "resume" | "nudge" | "give-up" };

/** `done` also when it was so already. `unknown`: no such node, or not there yet. `idle`: it waits for no attempt. */
export type NodeOutcome = "done" | "unknown" | "ended" | "idle";

export function actOnNode(
  run: ActiveRun,
  command: NodeCommand & { readonly key: string; readonly by: string },
): NodeOutcome {
  const { state } = run;
  const place = locateAhead(state, command.key);
  if (place === null) return "unknown";
  const { frame, vertex } = place;
  const index = frame.block.nodes[vertex]!;
  if (isTerminal(frame.status[state.program.exit[index]!]!)) return "ended";
  const { by } = command;
  const key = keyOf(state, frame, vertex);
  switch (command.type) {
    case "abort":
      if (!frame.asks?.doomed.has(vertex)) {
        run.emit({ type: "node.aborted", key, reason: command.reason, by }, place);
      }
      return "done";
    case "pause":
    case "resume": {
      const paused = command.type === "pause";
      if ((frame.asks?.paused.has(index) ?? false) === paused) return "done";
      run.emit({ type: paused ? "node.paused" : "node.resumed", key, by }, place);
      if (!paused) run.resumed();
      return "done";
    }
    default:
      return actOnAttempt(run, place, command.type, by);
  }
}

function actOnAttempt(run: ActiveRun, place: Place, type: "nudge" | "give-up", by: string): NodeOutcome {
  const { frame, vertex } = place;
  const cell = frame.cells[vertex];
  const { kind } = run.node(place);
  const isCall = kind === "operation" || kind === "workflow";
  if (!isCall || frame.status[vertex] !== Status.WAITING || cell === undefined || cell.dueAt === null) return "idle";
  if (run.calls.has(place)) return "idle"; // sent, and not yet in the log
  const key = keyOf(run.state, frame, vertex);
  if (type === "nudge") {
    run.emit({ type: "node.nudged", key, by }, place);
    run.waits.arm(place, cell.dueAt, run.seq);
    return "done";
  }
  run.waits.disarm(key);
  const { attempt: attempts, error } = cell;
  const message = `Given up after ${attempts} attempt${attempts === 1 ? "" : "s"}: ${error?.message ?? "no error"}`;
  const details = { by, attempts, error: error as Json };
  run.emit({ type: "node.failed", key, error: { code: "GIVEN_UP", message, details } }, place);
  return "done";
}
