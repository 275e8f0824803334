import betweennessModule from "graphology-metrics/centrality/betweenness.js";
import type { TaskGraph } from "../task_graph.ts";

// The module is CommonJS and exports the function itself; its declarations speak of an ES default.
const betweenness = betweennessModule as unknown as typeof betweennessModule.default;

/** How much of the work passes through a task. */
export interface Bottleneck {
  readonly taskId: string;
  /** Normalised betweenness centrality, 0 to 1. */
  readonly score: number;
}

/** Every task, the narrowest place first; of equals, in order of adding. Takes tasks × dependencies of time. */
export function bottlenecks(graph: TaskGraph): Bottleneck[] {
  if (graph.taskCount === 0) return [];
  // Fewer than three tasks have nothing between them, and normalising would divide by 0.
  const scores = graph.taskCount < 3 ? {} : betweenness(graph.raw, { normalized: true, getEdgeWeight: null });
  return graph.raw.nodes().map((taskId) => ({ taskId, score: scores[taskId] ?? 0 })).sort((a, b) => b.score - a.score);
}
