/** What a node's own fields come to when it starts. */
import { CallError } from "@alkdev/operations";
import type { ChildRunNode, Json } from "@alkdev/flowgraph";

/** The operation that starts a child run. */
export function workflowOperation(node: ChildRunNode): string {
  return node.version === undefined ? `workflow.${node.workflow}` : `workflow.${node.workflow}@${node.version}`;
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
