import { formatDuration } from "./duration.ts";
import {
  durationOf,
  errorLine,
  type GraphNodeView,
  graphTree,
  type PlanNodeView,
  type TreeNode,
} from "./graph_tree.ts";
import { formatCounts, statusMark, statusText } from "./status_mark.ts";
import type { Style } from "./style.ts";
import { fitText, safeText, textWidth } from "./text_width.ts";

/** Failed instances shown under a folded node. */
const MAX_SHOWN = 3;

/** A run's graph, as the HTTP API gives it. */
export interface RunGraphView {
  readonly runId: string;
  readonly workflow: string;
  readonly status: string;
  readonly nodes: readonly GraphNodeView[];
  /** Absent: from a hub that does not tell. */
  readonly tree?: readonly PlanNodeView[];
}

interface Drawing {
  readonly lines: Line[];
  readonly style: Style;
  /** The run completed: so a failure in a container was one that the container could bear. */
  readonly ended: boolean;
}

interface Line {
  readonly text: string;
  readonly right: string;
}

/**
 * The tree of containers, each node with its mark, operation, attempts and duration; the instances of a Map's or Loop's
 * nodes are folded into one line with counts. Lines fit `width`, except what cannot be cut.
 */
export function formatGraph(
  graph: RunGraphView,
  plan: readonly PlanNodeView[] | null,
  { width, style }: { readonly width: number; readonly style: Style },
): string {
  const lines: Line[] = [];
  for (const root of graphTree(graph.nodes, plan)) {
    // A root that only holds the steps together says nothing.
    const shown = root.kind === "sequential" && root.instances.length === 0 ? root.children : [root];
    const drawing: Drawing = { lines, style, ended: graph.status === "completed" };
    shown.forEach((node, index) => draw(node, "", index === shown.length - 1, drawing));
  }
  const head = `${style.bold(safeText(graph.workflow))}  ${style.dim(graph.runId)}  ${
    statusText(graph.status, graph.status, style)
  }`;
  const column = Math.min(
    width,
    Math.max(0, ...lines.map(({ text, right }) => textWidth(text) + 2 + textWidth(right))),
  );
  return [head, ...lines.map((line) => joinLine(line, column, style))].join("\n");
}

function joinLine({ text, right }: Line, width: number, style: Style): string {
  if (right === "") return fitLine(text, width);
  const room = width - textWidth(right) - 2;
  const left = fitLine(text, room);
  return left + " ".repeat(Math.max(2, width - textWidth(left) - textWidth(right))) + style.dim(right);
}

/** Cutting loses colours, so only what is too wide is cut. */
function fitLine(text: string, columns: number): string {
  return textWidth(text) <= columns ? text : fitText(text, columns);
}

function draw(node: TreeNode, indent: string, last: boolean, drawing: Drawing): void {
  const { lines, style } = drawing;
  const branch = style.dim(`${indent}${last ? "└" : "├"} `);
  const below = `${indent}${last ? "  " : "│ "}`;
  const leaf = node.children.length === 0;
  lines.push({ text: branch + (leaf ? leafText(node, style) : containerText(node, drawing)), right: timing(node) });
  const failed = leaf
    ? node.instances.filter(({ error, status }) => error !== undefined && status !== "completed")
    : [];
  for (const instance of failed.slice(0, MAX_SHOWN)) {
    const where = node.instances.length > 1 || instance.key !== node.key ? `${instance.key} ` : "";
    const message = instance.error === undefined ? "" : errorLine(instance.error);
    lines.push({ text: style.dim(below) + "  " + style.red(where + message), right: "" });
  }
  if (failed.length > MAX_SHOWN) {
    lines.push({ text: style.dim(`${below}  and ${failed.length - MAX_SHOWN} more`), right: "" });
  }
  const inner = visibleChildren(node);
  inner.forEach((child, index) => draw(child, below, index === inner.length - 1, drawing));
}

/** The sequence that only wraps a body or branch is left out, its steps shown in its place. */
function visibleChildren(node: TreeNode): readonly TreeNode[] {
  const [only] = node.children;
  if (node.children.length === 1 && only?.kind === "sequential" && only.key.startsWith("__")) return only.children;
  return node.children;
}

function leafText(node: TreeNode, style: Style): string {
  const [first] = node.instances;
  const name = nameOf(node);
  const otherwise = node.branch === "else" ? style.dim("else ") : "";
  const what = safeText(first?.operationId ?? node.kind);
  if (node.instances.length <= 1 && first?.key === node.key) {
    const tries = first.attempts > 1 ? style.yellow(` ${first.attempts} attempts`) : "";
    const reused = first.reusedFrom === undefined ? "" : style.cyan(" reused");
    return `${statusMark(first.status, style)} ${otherwise}${name}  ${style.dim(what)}${tries}${reused}`;
  }
  if (first === undefined) return `${statusMark("idle", style)} ${otherwise}${name}  ${style.dim(node.kind)}`;
  const counts = countStatuses(node.instances);
  const retried = node.instances.filter(({ attempts }) => attempts > 1).length;
  const tries = retried > 0 ? style.yellow(` ${retried} retried`) : "";
  const taken = node.instances.filter(({ reusedFrom }) => reusedFrom !== undefined).length;
  const reused = taken > 0 ? style.cyan(` ${taken} reused`) : "";
  return `${statusMark(worstStatus(counts), style)} ${otherwise}${name} ×${node.instances.length}: ${
    formatCounts(counts, style)
  }  ${style.dim(what)}${tries}${reused}`;
}

function containerText(node: TreeNode, { style, ended }: Drawing): string {
  const counts = countStatuses(leavesOf(node));
  const name = node.key.startsWith("__") ? "" : `${nameOf(node)}  `;
  const items = node.instances.reduce((total, { attempts, items = attempts }) => total + items, 0);
  const times = node.kind === "map" || node.kind === "loop" ? ` ×${items}` : "";
  const otherwise = node.branch === "else" ? style.dim("else ") : "";
  const status = ended && counts.has("completed") ? "completed" : worstStatus(counts);
  return `${statusMark(status, style)} ${otherwise}${name}${style.dim(node.kind + times)}`;
}

function nameOf(node: TreeNode): string {
  return safeText(node.key);
}

function leavesOf(node: TreeNode): readonly GraphNodeView[] {
  return node.children.length === 0 ? node.instances : node.children.flatMap(leavesOf);
}

function countStatuses(nodes: readonly GraphNodeView[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { status } of nodes) counts.set(status, (counts.get(status) ?? 0) + 1);
  return counts;
}

/** What a person should see first of many. */
function worstStatus(counts: ReadonlyMap<string, number>): string {
  const order = ["failed", "aborted", "running", "waiting", "ready"];
  const first = order.find((status) => counts.has(status));
  if (first !== undefined) return first;
  if (counts.has("completed")) return counts.has("idle") ? "running" : "completed";
  return counts.has("skipped") && !counts.has("idle") ? "skipped" : "idle";
}

function timing(node: TreeNode): string {
  const all = node.children.length === 0 ? node.instances : leavesOf(node);
  const durations = all.map(durationOf).filter((ms) => ms !== null);
  if (durations.length === 0) return "";
  if (node.children.length === 0) {
    if (durations.length === 1) return formatDuration(durations[0] ?? 0);
    const mean = durations.reduce((sum, ms) => sum + ms, 0) / durations.length;
    return `mean ${formatDuration(mean)}, max ${formatDuration(durations.reduce((a, b) => Math.max(a, b), 0))}`;
  }
  let from = Infinity, to = -Infinity;
  for (const { startedAt, completedAt } of all) {
    if (startedAt !== null) from = Math.min(from, startedAt);
    if (completedAt !== null) to = Math.max(to, completedAt);
  }
  return to >= from ? formatDuration(to - from) : "";
}
