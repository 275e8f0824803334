import type { RiskDistributionResult, RiskPathResult } from "../schema/results.ts";
import type { TaskRisk } from "../schema/enums.ts";
import type { TaskGraph } from "../task_graph.ts";
import { heaviestPath } from "./critical_path.ts";
import { resolveDefaults } from "./estimates.ts";

/** The path with the most risk on it: a task weighs the chance that it fails times its impact. @throws {CircularDependencyError} */
export function riskPath(graph: TaskGraph): RiskPathResult {
  const { path, total } = heaviestPath(graph, (_id, attributes) => {
    const { riskWeight, impactWeight } = resolveDefaults(attributes);
    return riskWeight * impactWeight;
  });
  return { path, totalRisk: total };
}

/** Ids of tasks by risk, in order of adding. */
export function riskDistribution(graph: TaskGraph): RiskDistributionResult {
  const buckets: Record<TaskRisk | "unspecified", string[]> = {
    trivial: [],
    low: [],
    medium: [],
    high: [],
    critical: [],
    unspecified: [],
  };
  graph.raw.forEachNode((id, { risk }) => buckets[risk ?? "unspecified"].push(id));
  return buckets;
}
