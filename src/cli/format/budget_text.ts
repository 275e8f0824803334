import type { RunBody } from "../run_views.ts";

/** `calls 3 of 10 (1 reserved), depth at most 2` */
export function budgetText(budget: NonNullable<RunBody["budget"]>): string {
  return Object.entries(budget).map(([kind, { limit, spent, reserved = 0 }]) => {
    if (spent === undefined) return `${kind} at most ${limit}`;
    return `${kind} ${spent} of ${limit}${reserved > 0 ? ` (${reserved} reserved)` : ""}`;
  }).join(", ");
}
