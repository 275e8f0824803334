import type { RunGraph } from "./ports.ts";

/** How far a node is, as its handler last said. */
export interface NodeProgress {
  readonly value: number | null;
  readonly total: number | null;
  readonly message: string | null;
  /** Ms since the epoch. */
  readonly at: number;
}

/** Where the progress of nodes is found, newest first. */
export type ProgressReader = (
  params: { readonly runId: string; readonly limit: number },
) => Promise<readonly (NodeProgress & { readonly key: string; readonly attempt: number })[]>;

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
