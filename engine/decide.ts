/** The engine's decisions, as events to append. Pure over the state, but for a template's own functions. */
import { CallError } from "@alkdev/operations";
import { compileExpression, type Json, type PlanNode } from "@alkdev/flowgraph";
import type { EventBody, NodeCounts } from "./events.ts";
import { toEventError } from "./event_error.ts";
import { toJsonValue, type ValueLimits } from "./json_value.ts";
import { childrenOf, VertexKind } from "./program.ts";
import { countNodes } from "./state/counts.ts";
import { failureOrigin } from "./state/failure.ts";
import { type Frame, isTerminal, type Place, Status } from "./state/frame.ts";
import { keyOf } from "./state/keys.ts";
import type { RunState } from "./state/run_state.ts";
import { bind, callFunction, expressionScope, mapItems, valueIn } from "./state/values.ts";

/** What becomes of a gate, a Map or a Loop that is due; null when it is no longer wanted. */
export function decide(state: RunState, place: Place, limits: ValueLimits): EventBody | null {
  const { frame, vertex } = place;
  const kind = frame.block.kinds[vertex]!;
  const key = keyOf(state, frame, vertex);
  const node = state.program.plan.nodes[frame.block.nodes[vertex]!]!;
  try {
    if (kind === VertexKind.LOOP) return decideLoop(state, place, key, node);
    if (frame.status[vertex] !== Status.READY) return null;
    return kind === VertexKind.GATE ? decideGate(state, place, key, node) : decideMap(state, place, key, node, limits);
  } catch (error) {
    return { type: "node.failed", key, error: toEventError(error, limits) };
  }
}

function decideGate(state: RunState, place: Place, key: string, node: PlanNode): EventBody | null {
  if (node.kind !== "conditional") return null;
  const { test } = node;
  const holds = "$fn" in test ? Boolean(callFunction(state, place.frame, test.$fn)) : evaluate(
    state,
    place.frame,
    "when" in test ? test.when : `status[${JSON.stringify(test.completed)}] == "completed"`,
  );
  const { plan } = state.program;
  let branch: "then" | "else" | "none" = holds ? "then" : "none";
  if (!holds) {
    for (const child of childrenOf(plan, place.frame.block.nodes[place.vertex]!)) {
      if (plan.nodes[child]!.branch === "else") branch = "else";
    }
  }
  return { type: "branch.taken", key, branch };
}

function decideMap(state: RunState, place: Place, key: string, node: PlanNode, limits: ValueLimits): EventBody | null {
  if (node.kind !== "map") return null;
  const items = mapItems(state, place.frame, place.vertex);
  if (items === null) {
    throw new CallError(
      "VALIDATION_ERROR",
      `Cannot expand "${key}": "over" must give a list, ${JSON.stringify(node.over)} gave none`,
    );
  }
  const isFunction = !Array.isArray(node.over) && "$fn" in node.over;
  const recorded = isFunction ? { items: toJsonValue(items, `the items of "${key}"`, limits) as Json[] } : {};
  return { type: "map.expanded", key, count: items.length, ...recorded };
}

function decideLoop(state: RunState, place: Place, key: string, node: PlanNode): EventBody | null {
  const { frame, vertex } = place;
  const expansion = frame.expansions?.get(vertex);
  if (node.kind !== "loop" || expansion === undefined) return null;
  // Decided already (a fold leaves every turn's question behind), or no longer wanted.
  if (expansion.active > 0 || isTerminal(frame.status[state.program.exit[frame.block.nodes[vertex]!]!]!)) return null;
  const last = expansion.frames[expansion.frames.length - 1]!;
  const again = typeof node.while === "string"
    ? evaluate(state, last, node.while)
    : Boolean(callFunction(state, last, node.while.$fn));
  return { type: "loop.turned", key, turns: expansion.frames.length, again };
}

/** Evaluates a condition. @throws CallError VALIDATION_ERROR when it does not give true or false. */
function evaluate(state: RunState, frame: Frame, source: string): boolean {
  const expression = compileExpression(source);
  let value: unknown;
  try {
    value = expression.evaluate(expressionScope(state, frame, expression.names));
  } catch (cause) {
    throw new CallError("VALIDATION_ERROR", cause instanceof Error ? cause.message : String(cause), undefined, {
      cause,
    });
  }
  if (typeof value === "boolean") return value;
  const shown = JSON.stringify(value) ?? "nothing";
  throw new CallError(
    "VALIDATION_ERROR",
    `Condition "${source}" must give true or false: it gave ${shown.slice(0, 200)}`,
  );
}

/** The terminal event of a run whose root has ended. */
export function closing(state: RunState, limits: ValueLimits): EventBody {
  const { program, root } = state;
  const exit = program.exit[0]!;
  const counts = publicCounts(state);
  if (root.status[exit] === Status.COMPLETED || root.status[exit] === Status.SKIPPED) {
    try {
      const { output } = program.plan;
      const value = output === null ? valueIn(state, root, 0) : bind(state, root, output);
      return { type: "run.completed", output: toJsonValue(value, "the run's output", limits), counts };
    } catch (error) {
      return { type: "run.failed", error: { ...toEventError(error, limits), nodeKey: null }, counts };
    }
  }
  const origin = failureOrigin(state, root, exit);
  return {
    type: "run.failed",
    error: origin === null
      ? { code: "ABORTED", message: "Every way to the end was aborted", nodeKey: null }
      : { ...origin.error, nodeKey: origin.key },
    counts,
  };
}

/** Counts for a terminal event: what has not ended counts as aborted. */
export function publicCounts(state: RunState): NodeCounts {
  const { total, completed, failed, skipped } = countNodes(state);
  return { total, completed, failed, aborted: total - completed - failed - skipped, skipped };
}
