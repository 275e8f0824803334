import type { NodeProgress, ProgressReader, RunGraph } from "./ports.ts";

type Said = Awaited<ReturnType<ProgressReader>>[number];

/** What a node said, without whose it is. */
export function progressOf({ key, value, total, message, at }: Said): NodeProgress & { readonly key: string } {
  return { key, value, total, message, at };
}

/** The graph whose nodes carry what they said last; an earlier attempt's progress is none of the present one. */
export function withProgress(graph: RunGraph, said: readonly Said[]): RunGraph {
  if (said.length === 0) return graph;
  const byKey = new Map(said.map((one) => [one.key, one]));
  const nodes = graph.nodes.map((node) => {
    const one = byKey.get(node.key);
    if (one === undefined || one.attempt < node.attempts) return node;
    const { value, total, message, at } = one;
    return { ...node, progress: { value, total, message, at } };
  });
  return { ...graph, nodes };
}
