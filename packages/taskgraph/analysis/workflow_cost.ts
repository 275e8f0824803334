import { InvalidInputError } from "../error/taskgraph_error.ts";
import type { WorkflowCostOptions, WorkflowCostResult, WorkflowCostTask } from "../schema/results.ts";
import type { TaskGraph } from "../task_graph.ts";
import { calculateTaskEv } from "./calculate_task_ev.ts";
import { resolveDefaults } from "./estimates.ts";

/**
 * What all tasks are expected to cost, in topological order. With `dag-propagate` a task's own probability is multiplied,
 * for each prerequisite that succeeds with P, by P + (1 − P) × the dependency's quality retention. A completed task counts
 * as P = 1 for what follows it.
 *
 * @throws {CircularDependencyError}
 * @throws {InvalidInputError} when `limit` or `defaultQualityRetention` is out of range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { TaskGraph, workflowCost } from "@alkdev/taskgraph";
 *
 * const graph = TaskGraph.fromTasks([
 *   { id: "design", name: "Design", dependsOn: [] },
 *   { id: "write", name: "Write", dependsOn: ["design"] },
 * ]);
 * const { tasks } = workflowCost(graph);
 * assert.equal(tasks[0]?.pEffective, 0.8); // medium risk
 * assert.equal(tasks[1]?.pEffective, 0.8 * (0.8 + (1 - 0.8) * 0.9));
 * ```
 */
export function workflowCost(graph: TaskGraph, options: WorkflowCostOptions = {}): WorkflowCostResult {
  const { includeCompleted = false, limit, propagationMode = "dag-propagate", defaultQualityRetention = 0.9 } = options;
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 0)) {
    throw new InvalidInputError("limit", `Limit is ${limit}: wanted a whole number from 0 up`);
  }
  if (!(defaultQualityRetention >= 0 && defaultQualityRetention <= 1)) {
    throw new InvalidInputError(
      "defaultQualityRetention",
      `Default quality retention is ${defaultQualityRetention}: wanted a number from 0 to 1`,
    );
  }
  const propagated = new Map<string, number>();
  const all: WorkflowCostTask[] = [];
  for (const taskId of graph.topologicalOrder()) {
    const task = resolveDefaults(graph.raw.getNodeAttributes(taskId));
    const pIntrinsic = task.successProbability;
    const pEffective = propagationMode === "independent"
      ? pIntrinsic
      : pIntrinsic * inherited(graph, taskId, propagated, defaultQualityRetention);
    const completed = task.status === "completed";
    propagated.set(taskId, completed ? 1 : pEffective);
    if (completed && !includeCompleted) continue;
    const { costEstimate: scopeCost, impactWeight, name } = task;
    const { ev } = calculateTaskEv(pEffective, scopeCost, impactWeight);
    all.push({ taskId, name, ev, pIntrinsic, pEffective, probability: pEffective, scopeCost, impactWeight });
  }
  const tasks = limit === undefined ? all : all.slice(0, limit);
  const totalEv = tasks.reduce((sum, { ev }) => sum + ev, 0);
  return { tasks, totalEv, averageEv: tasks.length === 0 ? 0 : totalEv / tasks.length, propagationMode };
}

/** What the prerequisites leave of a task's chance, 0 to 1. */
function inherited(graph: TaskGraph, taskId: string, propagated: Map<string, number>, retention: number): number {
  return graph.raw.reduceInEdges(taskId, (product, _key, { qualityRetention = retention }, prerequisite) => {
    const p = propagated.get(prerequisite) ?? 1;
    return product * (p + (1 - p) * qualityRetention);
  }, 1);
}
