import type { BudgetLimits } from "@alkdev/flowgraph";
import { CallError } from "@alkdev/operations";
import type { CreatedBudget, EventOf, RunBudget } from "../../engine/mod.ts";

type Created = EventOf<"run.created">;

const KINDS = ["calls", "tokens", "costMicros", "wallMs", "depth"] as const;

/** The budgets that hold for a run, outermost first; empty: nothing limits it. */
export function budgetsOf({ runId, budget }: Pick<Created, "runId" | "budget">): readonly RunBudget[] {
  if (budget === undefined) return [];
  return budget.own === null ? budget.above : [...budget.above, { ...budget.own, runId }];
}

/** The smaller limit of each kind; null: none is given. Whoever starts a run can tighten what its author gave, not widen it. */
export function tightest(...given: readonly (BudgetLimits | undefined)[]): BudgetLimits | null {
  const limits: { -readonly [Kind in keyof BudgetLimits]: number } = {};
  for (const kind of KINDS) {
    const amounts = given.map((one) => one?.[kind]).filter((amount) => amount !== undefined);
    if (amounts.length > 0) limits[kind] = Math.min(...amounts);
  }
  return Object.keys(limits).length === 0 ? null : limits;
}

/** What a start says of budgets: nothing at all for a run that none holds for. */
export interface BudgetOfStart {
  readonly budget?: CreatedBudget;
  /** Ms epoch: the earliest of those of all budgets. */
  readonly deadline?: number;
}

/**
 * The budgets of a run that is about to start at `now`.
 *
 * @param parent The run that starts it as a child; null for a run of its own.
 * @throws CallError BUDGET_EXCEEDED when a budget allows no run that deep
 */
export function budgetOfStart(
  params: {
    readonly limits: BudgetLimits | null;
    readonly parent: Created | null;
    readonly now: number;
    /** The node that starts it. */
    readonly node?: string;
  },
): BudgetOfStart {
  const { limits, parent, now, node } = params;
  const above = parent === null ? [] : budgetsOf(parent);
  if (limits === null && above.length === 0) return {};
  const level = parent === null ? 0 : levelOf(parent) + 1;
  const tooDeep = above.find((one) => one.limits.depth !== undefined && level - one.level > one.limits.depth);
  if (tooDeep !== undefined) throw depthExceeded(tooDeep, level, node ?? null);
  const deadline = limits?.wallMs === undefined ? null : now + limits.wallMs;
  const deadlines = [deadline, ...above.map((one) => one.deadline)].filter((one) => one !== null);
  return {
    budget: { own: limits === null ? null : { limits, deadline, level }, above },
    ...(deadlines.length > 0 && { deadline: Math.min(...deadlines) }),
  };
}

/** How many runs a run stands below. */
export function levelOf({ labels }: Pick<Created, "labels">): number {
  return Number(labels["hub.depth"] ?? 0);
}

function depthExceeded({ runId, limits, level: top }: RunBudget, level: number, node: string | null): CallError {
  const limit = limits.depth ?? 0;
  const what = node === null ? "A run would start" : `Node "${node}" would start a run`;
  return new CallError(
    "BUDGET_EXCEEDED",
    `${what} ${level - top} levels below run ${runId}, whose budget allows ${limit}`,
    { which: "depth", budgetRunId: runId, limit, spent: level - top - 1, reserved: 0, wanted: 1, node },
  );
}
