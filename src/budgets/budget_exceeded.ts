import { CallError } from "@alkdev/operations";
import type { Refusal } from "./ports.ts";

const NAMES = { calls: "calls", tokens: "tokens", costMicros: "millionths of cost" } as const;

/** What a call that does not fit fails with. `node` null: it is not part of a run. */
export function budgetExceeded(refusal: Refusal, node: string | null): CallError {
  const { kind, id, which, limit, spent, reserved, wanted } = refusal;
  const holder = kind === "run" ? { budgetRunId: id } : { budgetKind: kind, budgetId: id };
  return new CallError(
    "BUDGET_EXCEEDED",
    `${node === null ? "The work" : `Node "${node}"`} does not fit the budget of ${kind} "${id}": of ${limit} ` +
      `${NAMES[which]} ${spent} are spent and ${reserved} reserved, ${wanted} more ${
        wanted === 1 ? "is" : "are"
      } wanted`,
    { which, ...holder, limit, spent, reserved, wanted, node },
  );
}
