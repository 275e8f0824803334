import {
  type DrawableEdge,
  type DrawableGraph,
  type DrawableNode,
  edgeLabel,
  nodeLines,
  STATUS_COLOURS,
} from "./drawable_graph.ts";
import { type Box, layeredLayout, type Placed } from "./layered_layout.ts";

/** Nodes and edges that are drawn; beyond them a line says how many are not. */
const MAX_NODES = 2_000;
const MAX_EDGES = 10_000;
const MAX_CHARACTERS = 36;
const LINE = 16;
const CHARACTER = 7.2;
const PADDING = 10;

/**
 * An SVG picture that stands by itself: no script, no style sheet, nothing from elsewhere; all text is escaped.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { compile, defineWorkflow, Operation, planGraph, toSvg } from "@alkdev/flowgraph";
 *
 * const template = Operation({ name: "core.echo", key: "say", input: { value: "hi" } });
 * const workflow = defineWorkflow({ name: "hello", template });
 * const drawn = toSvg(planGraph(compile(workflow).plan));
 * assert.ok(drawn.startsWith("<svg"));
 * ```
 */
export function toSvg(graph: DrawableGraph): string {
  const nodes = graph.nodes.slice(0, MAX_NODES);
  const indices = new Map(nodes.map(({ key }, index) => [key, index]));
  const edges = graph.edges.flatMap((edge) => {
    const from = indices.get(edge.source);
    const to = indices.get(edge.target);
    return from === undefined || to === undefined ? [] : [{ edge, from, to }];
  }).slice(0, MAX_EDGES);
  const lines = nodes.map((node) => nodeLines(node).map(shorten));
  const boxes = lines.map(boxOf);
  const { places, width, height } = layeredLayout(boxes, edges.map(({ from, to }) => [from, to] as const));
  const hidden = graph.nodes.length - nodes.length;
  const note = hidden === 0 ? "" : `<text x="16" y="${height + 4}" fill="#666">… and ${hidden} more nodes</text>\n`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height + 12}" width="${width}" height="${
    height + 12
  }" font-family="sans-serif" font-size="12" role="img">
<title>Workflow graph</title>
<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#666"/></marker></defs>
${
    edges.map(({ edge, from, to }) =>
      edgeSvg(edge, { box: boxes[from]!, at: places[from]! }, { box: boxes[to]!, at: places[to]! })
    ).join("")
  }${nodes.map((node, i) => nodeSvg(node, lines[i]!, { box: boxes[i]!, at: places[i]! })).join("")}${note}</svg>
`;
}

interface Spot {
  readonly box: Box;
  readonly at: Placed;
}

function boxOf(lines: readonly string[]): Box {
  const longest = lines.reduce((most, line) => Math.max(most, [...line].length), 4);
  return { width: Math.ceil(longest * CHARACTER) + 2 * PADDING, height: lines.length * LINE + PADDING };
}

function nodeSvg(node: DrawableNode, lines: readonly string[], { box, at }: Spot): string {
  const { status, kind, key } = node;
  const fill = status !== undefined && Object.hasOwn(STATUS_COLOURS, status) ? STATUS_COLOURS[status] : "#ffffff";
  const round = kind === "sleep" || kind === "signal" ? box.height / 2 : 4;
  const dash = kind === "map" || kind === "loop" ? ' stroke-dasharray="4 2"' : "";
  const middle = at.x + box.width / 2;
  const texts = lines.map((line, i) =>
    `<text x="${middle}" y="${at.y + PADDING / 2 + LINE * (i + 0.75)}" text-anchor="middle"${
      i === 0 ? ' font-weight="bold"' : ' fill="#444"'
    }>${escape(line)}</text>`
  );
  return `<g><title>${
    escape(key)
  }</title><rect x="${at.x}" y="${at.y}" width="${box.width}" height="${box.height}" rx="${round}" fill="${fill}" stroke="#666"${dash}/>${
    texts.join("")
  }</g>\n`;
}

function edgeSvg(edge: DrawableEdge, from: Spot, to: Spot): string {
  const x1 = from.at.x + from.box.width / 2;
  const y1 = from.at.y + from.box.height;
  const x2 = to.at.x + to.box.width / 2;
  const y2 = to.at.y;
  const bend = Math.max(20, (y2 - y1) / 2);
  const dash = edge.edgeType === "conditional" ? ' stroke-dasharray="5 3"' : "";
  const width = edge.dataFlow === true && edge.edgeType !== "conditional" ? 1.8 : 1;
  const label = edgeLabel(edge);
  const text = label === ""
    ? ""
    : `<text x="${(x1 + x2) / 2}" y="${(y1 + y2) / 2}" text-anchor="middle" font-size="10" fill="#555">${
      escape(shorten(label))
    }</text>`;
  return `<path d="M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${
    y2 - bend
  } ${x2} ${y2}" fill="none" stroke="#666" stroke-width="${width}"${dash} marker-end="url(#arrow)"/>${text}\n`;
}

function shorten(text: string): string {
  const characters = [...text.toWellFormed()];
  return characters.length <= MAX_CHARACTERS ? text : `${characters.slice(0, MAX_CHARACTERS - 1).join("")}…`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as XML has it; characters that XML cannot hold become U+FFFD. */
function escape(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
    .replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
