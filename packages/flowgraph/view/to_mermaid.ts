import {
  type DrawableEdge,
  type DrawableGraph,
  type DrawableNode,
  edgeLabel,
  nodeLines,
  STATUS_COLOURS,
} from "./drawable_graph.ts";

const SHAPES: Readonly<Record<string, readonly [string, string]>> = {
  join: ["((", "))"],
  signal: ["{{", "}}"],
  sleep: ["([", "])"],
  workflow: ["[[", "]]"],
};

/**
 * A Mermaid flowchart. Ids are made up, so that no key can break it; text is escaped to entities.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { compile, defineWorkflow, Operation, planGraph, toMermaid } from "@alkdev/flowgraph";
 *
 * const template = Operation({ name: "core.echo", key: "say", input: { value: "hi" } });
 * const workflow = defineWorkflow({ name: "hello", template });
 * const drawn = toMermaid(planGraph(compile(workflow).plan));
 * assert.ok(drawn.startsWith("flowchart"));
 * ```
 */
export function toMermaid(graph: DrawableGraph): string {
  const ids = new Map(graph.nodes.map(({ key }, i) => [key, `n${i}`]));
  const lines = ["flowchart TD"];
  const statuses = new Set<string>();
  for (const node of graph.nodes) {
    lines.push(`  ${ids.get(node.key)}${box(node)}`);
    if (node.status !== undefined && Object.hasOwn(STATUS_COLOURS, node.status)) statuses.add(node.status);
  }
  for (const edge of graph.edges) {
    const source = ids.get(edge.source);
    const target = ids.get(edge.target);
    if (source !== undefined && target !== undefined) lines.push(`  ${source} ${arrow(edge)} ${target}`);
  }
  for (const status of statuses) lines.push(`  classDef ${status} fill:${STATUS_COLOURS[status]}`);
  return lines.join("\n") + "\n";
}

function box(node: DrawableNode): string {
  const [open, close] = SHAPES[node.kind ?? ""] ?? ["[", "]"];
  const { status } = node;
  const style = status !== undefined && Object.hasOwn(STATUS_COLOURS, status) ? `:::${status}` : "";
  return `${open}"${nodeLines(node).map(escape).join("<br/>")}"${close}${style}`;
}

function arrow(edge: DrawableEdge): string {
  const label = edgeLabel(edge);
  const line = edge.edgeType === "conditional" ? "-.->" : edge.dataFlow ? "==>" : "-->";
  return label === "" ? line : `${line}|"${escape(label)}"|`;
}

/** Everything but letters, digits, spaces and harmless marks becomes a numbered entity. */
function escape(text: string): string {
  return text.replace(/[^\p{L}\p{N} ._,:=+*?!/()[\]-]/gu, (mark) => /\s/.test(mark) ? " " : `#${mark.codePointAt(0)};`);
}
