/** What a node's own fields come to when it starts. */
import { CallError } from "@alkdev/operations";
import type { ChildRunNode, Json, OperationNode } from "@alkdev/flowgraph";
import { copyPlain, toJsonValue, type ValueLimits } from "./json_value.ts";
import type { Frame } from "./state/frame.ts";
import type { RunState } from "./state/run_state.ts";
import { bind } from "./state/values.ts";

/** What a call is given: the handler's own copy, and what the log says it was given. */
export interface CallInput {
  readonly input: Json;
  readonly recorded: Json;
}

/** @throws CallError PAYLOAD_TOO_LARGE or VALIDATION_ERROR, and what a template's function throws */
export function callInput(
  state: RunState,
  frame: Frame,
  node: OperationNode | ChildRunNode,
  limits: ValueLimits,
): CallInput {
  const bound = bind(state, frame, node.input);
  if (state.program.functions.size === 0) {
    const input = copyPlain(bound, limits);
    if (input !== undefined) return { input, recorded: bound };
  }
  const what = `the input of node "${node.key}${frame.suffix}"`;
  // What is recorded is made of recorded values, which nobody changes; what a function gave is somebody's.
  const recorded = state.program.functions.size > 0 ? toJsonValue(bound, what, limits) : bound;
  return { input: toJsonValue(recorded, what, limits), recorded };
}

/** The operation that starts a child run. */
export function workflowOperation(node: ChildRunNode): string {
  return node.version === undefined ? `workflow.${node.workflow}` : `workflow.${node.workflow}@${node.version}`;
}

/** Longest key of a line, in UTF-16 units. */
const MAX_KEY = 256;

/** Null: null, which is no key. @throws CallError VALIDATION_ERROR */
export function wantConcurrencyKey(value: Json, node: string): string | null {
  if (value === null) return null;
  const key = typeof value === "object" ? "" : String(value);
  if (key !== "" && key.length <= MAX_KEY) return key;
  throw new CallError(
    "VALIDATION_ERROR",
    `Cannot start "${node}": "concurrencyKey" must be a text of 1 to ${MAX_KEY} characters, a number, true, false or ` +
      `null, it is ${JSON.stringify(value).slice(0, 80)}`,
  );
}

/** @throws CallError VALIDATION_ERROR */
export function wantMs(value: Json, key: string): number {
  if (typeof value === "number" && value >= 0) return value;
  throw new CallError(
    "VALIDATION_ERROR",
    `Cannot sleep at "${key}": "ms" must be a number of at least 0, it is ${JSON.stringify(value)}`,
  );
}

/** Ms since the epoch. @throws CallError VALIDATION_ERROR */
export function wantInstant(value: Json, key: string): number {
  const instant = typeof value === "number" ? value : typeof value === "string" ? Date.parse(value) : NaN;
  if (Number.isFinite(instant)) return instant;
  throw new CallError(
    "VALIDATION_ERROR",
    `Cannot sleep at "${key}": "until" must be an ISO instant or milliseconds since the epoch, it is ${
      JSON.stringify(value)
    }`,
  );
}
