import { CallError } from "@alkdev/operations";
import type { Session, SessionBudget, SessionLimits, SessionTurn } from "./session.ts";

export const NO_LIMITS: SessionLimits = { maxSteps: null, maxTokens: null, maxCostMicros: null, maxTurnMs: null };
export const NO_BUDGET: SessionBudget = { steps: null, tokens: null, costMicros: null, timeMs: null };
/** Steps of a turn where nobody says how many. */
const DEFAULT_STEPS = 50;

/** Of two limits the smaller one of each kind. */
export function tighter(a: SessionLimits, b: SessionLimits): SessionLimits {
  return {
    maxSteps: least(a.maxSteps, b.maxSteps),
    maxTokens: least(a.maxTokens, b.maxTokens),
    maxCostMicros: least(a.maxCostMicros, b.maxCostMicros),
    maxTurnMs: least(a.maxTurnMs, b.maxTurnMs),
  };
}

/** As they are given, with a limit of steps in any case. */
export function withDefaults(limits: SessionLimits): SessionLimits {
  return { ...limits, maxSteps: limits.maxSteps ?? DEFAULT_STEPS };
}

/** What is left of the time of a turn, in ms; null: as much as it likes. */
export function timeLeft(session: Session, turn: SessionTurn, now: number): number | null {
  const { limits, budget, usage } = session;
  const gone = now - turn.startedAt;
  return least(
    limits.maxTurnMs === null ? null : limits.maxTurnMs - gone,
    budget.timeMs === null ? null : budget.timeMs - usage.turnMs - gone,
  );
}

/** Whether another step may begin. @throws CallError SESSION_LIMIT with which one is reached */
export function assertWithinLimits(session: Session, turn: SessionTurn, now: number): void {
  const { limits, budget, usage } = session;
  const gone = now - turn.startedAt;
  const checks: readonly (readonly ["turn" | "session", string, number | null, number])[] = [
    ["turn", "steps", limits.maxSteps, turn.steps],
    ["turn", "tokens", limits.maxTokens, turn.inputTokens + turn.outputTokens],
    ["turn", "costMicros", limits.maxCostMicros, turn.costMicros],
    ["turn", "timeMs", limits.maxTurnMs, gone],
    ["session", "steps", budget.steps, usage.steps],
    ["session", "tokens", budget.tokens, usage.inputTokens + usage.outputTokens],
    ["session", "costMicros", budget.costMicros, usage.costMicros],
    ["session", "timeMs", budget.timeMs, usage.turnMs + gone],
  ];
  for (const [scope, which, limit, used] of checks) {
    if (limit !== null && used >= limit) throw sessionLimit({ scope, which, limit, used });
  }
}

export function sessionLimit(
  details: {
    readonly scope: "turn" | "session";
    readonly which: string;
    readonly limit: number;
    readonly used: number;
  },
): CallError {
  const { scope, which, limit, used } = details;
  return new CallError(
    "SESSION_LIMIT",
    `The ${scope} has used ${used} ${which === "timeMs" ? "ms" : which} of the ${limit} that it may`,
    details,
  );
}

function least(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.min(a, b);
}
