import { type DrawableGraph, type Plan, planEdges, toDot, toMermaid, toSvg } from "@alkdev/flowgraph";
import { isLeaf } from "../../engine/mod.ts";
import type { RunGraph } from "../runs/mod.ts";
import type { GraphsPort } from "../server/mod.ts";

/** Plans and runs as graphs, for the HTTP edge. */
export const graphs: GraphsPort = {
  plan: planGraph,
  mermaid: (graph) => toMermaid(drawable(graph)),
  dot: (graph) => toDot(drawable(graph)),
  svg: (graph) => toSvg(drawable(graph)),
};

function drawable(graph: RunGraph): DrawableGraph {
  const nodes = graph.nodes.map(({ key, kind, status, operationId, reusedFrom }) => ({
    key,
    kind,
    status,
    ...(operationId !== null && { operationId }),
    ...(reusedFrom !== undefined && { reused: true }),
  }));
  return { nodes, edges: graph.edges };
}

function planGraph(plan: Plan): { readonly nodes: readonly object[]; readonly edges: readonly object[] } {
  const edges = planEdges(plan);
  const named = new Set(edges.flatMap(({ source, target }) => [source, target]));
  const nodes = plan.nodes
    .filter((node) => isLeaf(node) || node.kind === "map" || node.kind === "loop" || named.has(node.key))
    .map((node) => ({
      key: node.key,
      kind: node.kind,
      operationId: node.kind === "operation" ? node.operationId : null,
      title: node.title ?? null,
      parent: node.parent < 0 ? null : plan.nodes[node.parent]!.key,
      ...(node.kind === "operation" && node.retry !== undefined && { retry: node.retry }),
      ...(node.kind === "operation" && node.timeoutMs !== undefined && { timeoutMs: node.timeoutMs }),
    }));
  return { nodes, edges };
}
