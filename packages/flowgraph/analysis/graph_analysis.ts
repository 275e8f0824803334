import { CycleError } from "../error/construction_error.ts";
import type { EdgeBase, FlowGraph, OperationGraph } from "../graph/flow_graph.ts";
import { generations } from "../graph/walk.ts";
import { isUnknownSchema } from "./json_schema.ts";
import { typeCompat } from "./type_compat.ts";

type AnyGraph = FlowGraph<object, EdgeBase>;

/** Adds the missing edges between operations whose schemas are known. @throws CycleError when fitting ones form a cycle */
export function buildTypeEdges(graph: OperationGraph): void {
  const keys = graph.nodes();
  for (const source of keys) {
    const { outputSchema } = graph.getNodeAttributes(source);
    if (isUnknownSchema(outputSchema)) continue;
    for (const target of keys) {
      const { inputSchema } = graph.getNodeAttributes(target);
      if (source === target || isUnknownSchema(inputSchema) || graph.hasEdge(source, target)) continue;
      graph.addTypedEdge(source, target, typeCompat(outputSchema, inputSchema));
    }
  }
}

/** Each key after all its predecessors. @throws CycleError */
export function topologicalOrder(graph: AnyGraph): string[] {
  return graph.topologicalOrder();
}

/** Keys by depth: group 0 has no predecessors, the others stand one past their latest one. @throws CycleError */
export function parallelGroups(graph: AnyGraph): string[][] {
  const groups = generations(graph.nodes(), (key) => graph.successors(key));
  if (groups.reduce((count, group) => count + group.length, 0) < graph.order) throw new CycleError(graph.findCycles());
  return groups;
}

/** The keys of the longest path by weight, each node weighing 1 unless told otherwise. @throws CycleError */
export function criticalPath(graph: AnyGraph, weight: (key: string) => number = () => 1): string[] {
  const best = new Map<string, { readonly length: number; readonly before: string | null }>();
  let last: string | null = null;
  for (const key of graph.topologicalOrder()) {
    let longest = 0;
    let before: string | null = null;
    for (const predecessor of graph.predecessors(key)) {
      const { length } = best.get(predecessor) ?? { length: 0 };
      if (length > longest || before === null) [longest, before] = [length, predecessor];
    }
    best.set(key, { length: longest + weight(key), before });
    if (last === null || longest + weight(key) > (best.get(last)?.length ?? 0)) last = key;
  }
  const path: string[] = [];
  for (let at: string | null = last; at !== null; at = best.get(at)?.before ?? null) path.push(at);
  return path.reverse();
}

/** The given nodes and all behind them. @throws NodeNotFoundError */
export function reachableFrom(graph: AnyGraph, keys: Iterable<string>): Set<string> {
  return graph.reachableFrom(keys);
}
