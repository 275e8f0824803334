import type { TaskGraphNodeAttributes } from "../schema/attributes.ts";
import type { DecomposeResult } from "../schema/results.ts";

/**
 * Whether a task is too risky (high, critical) or too wide (broad, system) to be done in one piece.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { shouldDecomposeTask } from "@alkdev/taskgraph";
 *
 * assert.equal(shouldDecomposeTask({ risk: "high", scope: "narrow" }).shouldDecompose, true);
 * assert.deepEqual(shouldDecomposeTask({ risk: "low" }).reasons, []);
 * ```
 */
export function shouldDecomposeTask(attributes: Pick<TaskGraphNodeAttributes, "risk" | "scope">): DecomposeResult {
  const { risk, scope } = attributes;
  const reasons: string[] = [];
  if (risk === "high" || risk === "critical") reasons.push(`Risk is ${risk}`);
  if (scope === "broad" || scope === "system") reasons.push(`Scope is ${scope}`);
  return { shouldDecompose: reasons.length > 0, reasons };
}
