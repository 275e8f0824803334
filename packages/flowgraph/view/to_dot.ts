import {
  type DrawableEdge,
  type DrawableGraph,
  type DrawableNode,
  edgeLabel,
  nodeLines,
  STATUS_COLOURS,
} from "./drawable_graph.ts";

const SHAPES: Readonly<Record<string, string>> = {
  join: "point",
  signal: "hexagon",
  sleep: "ellipse",
  workflow: "component",
};

/**
 * A Graphviz digraph.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { compile, defineWorkflow, Operation, planGraph, toDot } from "@alkdev/flowgraph";
 *
 * const template = Operation({ name: "core.echo", key: "say", input: { value: "hi" } });
 * const workflow = defineWorkflow({ name: "hello", template });
 * const drawn = toDot(planGraph(compile(workflow).plan));
 * assert.ok(drawn.startsWith("digraph"));
 * ```
 */
export function toDot(graph: DrawableGraph): string {
  const keys = new Set(graph.nodes.map(({ key }) => key));
  const lines = ["digraph plan {", "  rankdir=TB;", '  node [shape=box, fontname="sans-serif"];'];
  for (const node of graph.nodes) lines.push(`  ${quote(node.key)} [${nodeAttributes(node)}];`);
  for (const edge of graph.edges) {
    if (!keys.has(edge.source) || !keys.has(edge.target)) continue;
    const attributes = edgeAttributes(edge);
    lines.push(`  ${quote(edge.source)} -> ${quote(edge.target)}${attributes && ` [${attributes}]`};`);
  }
  lines.push("}");
  return lines.join("\n") + "\n";
}

function nodeAttributes(node: DrawableNode): string {
  const attributes = [`label=${quote(nodeLines(node).join("\n"))}`];
  const shape = SHAPES[node.kind ?? ""];
  if (shape !== undefined) attributes.push(`shape=${shape}`);
  const { status } = node;
  if (status !== undefined && Object.hasOwn(STATUS_COLOURS, status)) {
    attributes.push("style=filled", `fillcolor="${STATUS_COLOURS[status]}"`);
  }
  return attributes.join(", ");
}

function edgeAttributes(edge: DrawableEdge): string {
  const attributes: string[] = [];
  if (edge.edgeType === "conditional") attributes.push("style=dashed");
  else if (edge.dataFlow) attributes.push("style=bold");
  const label = edgeLabel(edge);
  if (label !== "") attributes.push(`label=${quote(label)}`);
  return attributes.join(", ");
}

function quote(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replace(/\r\n|\r|\n/g, "\\n");
  return `"${escaped.replaceAll("\0", "")}"`;
}
