import type { TaskGraph } from "../task_graph.ts";

/**
 * Ids by dependency depth: all of a group can be done at once, when the groups before are done.
 *
 * @throws {CircularDependencyError}
 */
export function parallelGroups(graph: TaskGraph): string[][] {
  return graph.generations();
}
