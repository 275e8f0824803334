import { parseDuration } from "../duration.ts";
import type { BudgetLimits } from "../plan.ts";
import { isRecord } from "./prop_rules.ts";

/** A budget as plans have it, its names in fixed order; null: it limits nothing. The rules have checked it. */
export function budgetLimits(value: unknown): BudgetLimits | null {
  if (!isRecord(value)) return null;
  const { calls, tokens, costMicros, depth } = value;
  const wallMs = parseDuration(value.wallMs);
  const limits: BudgetLimits = {
    ...(typeof calls === "number" && { calls }),
    ...(typeof tokens === "number" && { tokens }),
    ...(typeof costMicros === "number" && { costMicros }),
    ...(wallMs !== null && { wallMs }),
    ...(typeof depth === "number" && { depth }),
  };
  return Object.keys(limits).length === 0 ? null : Object.freeze(limits);
}
