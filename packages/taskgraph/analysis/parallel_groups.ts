import type { TaskGraph } from "../task_graph.ts";

/**
 * Ids by dependency depth: all of a group can be done at once, when the groups before are done.
 *
 * @throws {CircularDependencyError}
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parallelGroups, TaskGraph } from "@alkdev/taskgraph";
 *
 * const graph = TaskGraph.fromTasks([
 *   { id: "design", name: "Design", dependsOn: [] },
 *   { id: "write", name: "Write", dependsOn: ["design"] },
 * ]);
 * assert.deepEqual(parallelGroups(graph), [["design"], ["write"]]);
 * ```
 */
export function parallelGroups(graph: TaskGraph): string[][] {
  return graph.generations();
}
