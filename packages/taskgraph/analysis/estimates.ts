import type { TaskGraphNodeAttributes } from "../schema/attributes.ts";
import type { TaskImpact, TaskRisk, TaskScope } from "../schema/enums.ts";
import type { ResolvedTaskAttributes } from "../schema/results.ts";

const COST: Readonly<Record<TaskScope, number>> = { single: 1, narrow: 2, moderate: 3, broad: 4, system: 5 };
const TOKENS: Readonly<Record<TaskScope, number>> = {
  single: 500,
  narrow: 1500,
  moderate: 3000,
  broad: 6000,
  system: 10000,
};
const SUCCESS: Readonly<Record<TaskRisk, number>> = { trivial: 0.98, low: 0.9, medium: 0.8, high: 0.65, critical: 0.5 };
const IMPACT: Readonly<Record<TaskImpact, number>> = { isolated: 1, component: 1.5, phase: 2, project: 3 };

/** Cost of a scope, 1 to 5. */
export function scopeCostEstimate(scope: TaskScope): number {
  return COST[scope];
}

/** Tokens that a task of this scope takes. */
export function scopeTokenEstimate(scope: TaskScope): number {
  return TOKENS[scope];
}

/** How likely a task of this risk is to succeed, 0.5 to 0.98. */
export function riskSuccessProbability(risk: TaskRisk): number {
  return SUCCESS[risk];
}

/** How likely a task of this risk is to fail: 1 − {@linkcode riskSuccessProbability}. */
export function riskWeight(risk: TaskRisk): number {
  return 1 - SUCCESS[risk];
}

/** Weight of an impact, 1 to 3. */
export function impactWeight(impact: TaskImpact): number {
  return IMPACT[impact];
}

/** Fills in what is not given (risk medium, scope narrow, impact isolated, the rest null) and adds the numbers. */
export function resolveDefaults(attributes: TaskGraphNodeAttributes): ResolvedTaskAttributes {
  const { scope = "narrow", risk = "medium", impact = "isolated" } = attributes;
  return {
    name: attributes.name,
    scope,
    risk,
    impact,
    level: attributes.level ?? null,
    priority: attributes.priority ?? null,
    status: attributes.status ?? null,
    costEstimate: scopeCostEstimate(scope),
    tokenEstimate: scopeTokenEstimate(scope),
    successProbability: riskSuccessProbability(risk),
    riskWeight: riskWeight(risk),
    impactWeight: impactWeight(impact),
  };
}
