import type { TaskGraphNodeAttributes } from "../schema/attributes.ts";
import type { TaskGraph } from "../task_graph.ts";

/** What a task weighs on a path. */
export type TaskWeight = (id: string, attributes: TaskGraphNodeAttributes) => number;

/** The path of most tasks; of several, the one that comes first in order. @throws {CircularDependencyError} */
export function criticalPath(graph: TaskGraph): string[] {
  return weightedCriticalPath(graph, () => 1);
}

/** The path of most weight; of several, the one that comes first in order. @throws {CircularDependencyError} */
export function weightedCriticalPath(graph: TaskGraph, weight: TaskWeight): string[] {
  return heaviestPath(graph, weight).path;
}

/** A path and the sum of its tasks' weights. */
export interface WeighedPath {
  readonly path: string[];
  readonly total: number;
}

/** {@linkcode weightedCriticalPath} and its weight. */
export function heaviestPath(graph: TaskGraph, weight: TaskWeight): WeighedPath {
  const totals = new Map<string, number>();
  const before = new Map<string, string>();
  let last: string | undefined;
  for (const id of graph.topologicalOrder()) {
    // A path may start anywhere: prerequisites that weigh less than nothing are not walked.
    let most = 0;
    for (const prerequisite of graph.dependencies(id)) {
      const total = totals.get(prerequisite) ?? 0;
      if (total <= most) continue;
      most = total;
      before.set(id, prerequisite);
    }
    const total = most + weight(id, graph.raw.getNodeAttributes(id));
    totals.set(id, total);
    if (last === undefined || total > (totals.get(last) ?? 0)) last = id;
  }
  const path: string[] = [];
  for (let id = last; id !== undefined; id = before.get(id)) path.push(id);
  return { path: path.reverse(), total: last === undefined ? 0 : totals.get(last) ?? 0 };
}
