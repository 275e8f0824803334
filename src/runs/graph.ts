import { type Plan, planEdges } from "@alkdev/flowgraph";
import {
  childrenOf,
  type Frame,
  isLeaf,
  keyOf,
  leaves,
  type Program,
  type RunState,
  STATUS_NAMES,
} from "../../engine/mod.ts";
import type { GraphEdge, GraphNode, PlanPlace, RunGraph } from "./ports.ts";

/** Pairs between two sets of Map items beyond which their edges go through the Map's own node. */
const MAX_PAIRS = 10_000;

/** The graph of a run as far as it is known: a node per leaf instance and per Map or Loop, edges between them. */
export function graphOf(state: RunState, options: { readonly data: boolean }): RunGraph {
  const nodes = [...frameNodes(state), ...leafNodes(state, options.data)];
  return {
    runId: state.created?.runId ?? "",
    workflow: state.program.plan.workflow,
    status: state.status,
    seq: state.seq,
    nodes,
    edges: instanceEdges(state, nodes),
    tree: planTree(state.program.plan),
  };
}

/** A plan's nodes, containers included, for whoever draws it as a tree. */
export function planTree(plan: Plan): readonly PlanPlace[] {
  return plan.nodes.map((node) => ({
    key: node.key,
    kind: node.kind,
    parent: node.parent,
    ...(node.branch !== undefined && { branch: node.branch }),
    ...(node.kind === "operation" && { operationId: node.operationId }),
  }));
}

function* leafNodes(state: RunState, data: boolean): Generator<GraphNode> {
  for (const { frame, vertex } of leaves(state)) {
    const index = frame.block.nodes[vertex]!;
    const node = state.program.plan.nodes[index]!;
    const cell = frame.cells[vertex];
    yield {
      key: keyOf(state, frame, vertex),
      kind: node.kind,
      operationId: node.kind === "operation"
        ? node.operationId
        : node.kind === "workflow"
        ? `workflow.${node.workflow}`
        : null,
      title: node.title ?? null,
      parent: parentKey(state, frame, index),
      status: STATUS_NAMES[frame.status[vertex]!],
      attempts: cell?.attempt ?? 0,
      requestId: cell?.requestId ?? null,
      startedAt: cell?.startedAt ?? null,
      completedAt: cell?.completedAt ?? null,
      nextAt: cell?.dueAt ?? null,
      ...(cell?.reusedFrom !== undefined && { reusedFrom: cell.reusedFrom }),
      ...(data && cell?.input !== undefined && { input: cell.input }),
      ...(data && cell?.data !== undefined && { output: cell.data }),
      ...(cell?.error && STATUS_NAMES[frame.status[vertex]!] !== "completed" && { error: cell.error }),
    };
  }
}

function* frameNodes(state: RunState): Generator<GraphNode> {
  const { plan, entry, exit } = state.program;
  const frames = [state.root];
  for (let frame = frames.pop(); frame !== undefined; frame = frames.pop()) {
    for (const [index, node] of plan.nodes.entries()) {
      if ((node.kind !== "map" && node.kind !== "loop") || state.program.blockOf[index] !== frame.block) continue;
      const expansion = frame.expansions?.get(entry[index]!);
      // Its own: what it failed with at its start, or what aborted it at its end.
      const error = frame.cells[entry[index]!]?.error ?? frame.cells[exit[index]!]?.error;
      const end = STATUS_NAMES[frame.status[exit[index]!]!];
      yield {
        key: node.key + frame.suffix,
        kind: node.kind,
        operationId: null,
        title: node.title ?? null,
        parent: parentKey(state, frame, index),
        status: end === "idle" && expansion !== undefined ? "running" : end,
        attempts: 0,
        ...(expansion !== undefined && { items: expansion.count }),
        requestId: null,
        startedAt: null,
        completedAt: (frame.cells[exit[index]!] ?? frame.cells[entry[index]!])?.completedAt ?? null,
        nextAt: null,
        ...(error && { error }),
      };
      for (const inner of expansion?.frames ?? []) frames.push(inner);
    }
  }
}

/** The nearest Map or Loop around a node, else its parent container. */
function parentKey(state: RunState, frame: Frame, index: number): string | null {
  const { parent } = state.program.plan.nodes[index]!;
  if (parent < 0) return null;
  const home = state.program.blockOf[parent] === frame.block ? frame : frame.outer ?? frame;
  return state.program.plan.nodes[parent]!.key + home.suffix;
}

/** The plan's edges between the instances of their ends. */
function instanceEdges(state: RunState, nodes: readonly GraphNode[]): GraphEdge[] {
  const instances = new Map<string, string[]>();
  for (const { key } of nodes) {
    const base = baseOf(key);
    const list = instances.get(base);
    if (list === undefined) instances.set(base, [key]);
    else list.push(key);
  }
  const edges: GraphEdge[] = [];
  for (const edge of planEdges(state.program.plan)) {
    const { source, target, ...rest } = edge;
    const depth = sharedDepth(state.program, source, target);
    const sources = group(instances.get(source) ?? [], depth);
    const targets = group(instances.get(target) ?? [], depth);
    for (const [prefix, from] of sources) {
      const to = targets.get(prefix) ?? [];
      if (from.length * to.length <= MAX_PAIRS) {
        for (const s of from) for (const t of to) edges.push({ source: s, target: t, ...rest });
        continue;
      }
      const hub = hubKey(state.program, source, target, depth) + prefix;
      for (const s of from) if (s !== hub) edges.push({ source: s, target: hub, ...rest });
      for (const t of to) if (t !== hub) edges.push({ source: hub, target: t, ...rest });
    }
  }
  edges.push(...expansionEdges(state, instances));
  return edges;
}

/** From a Map or Loop to the first leaves of each item. */
function expansionEdges(state: RunState, instances: ReadonlyMap<string, readonly string[]>): GraphEdge[] {
  const { plan } = state.program;
  const edges: GraphEdge[] = [];
  for (const [index, node] of plan.nodes.entries()) {
    if (node.kind !== "map" && node.kind !== "loop") continue;
    for (const first of firstNodes(state.program, index + 1)) {
      for (const target of instances.get(plan.nodes[first]!.key) ?? []) {
        const outer = target.slice(plan.nodes[first]!.key.length).replace(/\[\d+\]$/, "");
        edges.push({ source: node.key + outer, target, edgeType: "sequential", dataFlow: node.kind === "map" });
      }
    }
  }
  return edges;
}

function firstNodes(program: Program, index: number): number[] {
  const node = program.plan.nodes[index]!;
  if (isLeaf(node) || node.kind === "map" || node.kind === "loop") return [index];
  const found: number[] = [];
  for (const child of childrenOf(program.plan, index)) {
    found.push(...firstNodes(program, child));
    if (node.kind === "sequential" && found.length > 0) break;
  }
  return found;
}

function baseOf(key: string): string {
  const bracket = key.indexOf("[");
  return bracket < 0 ? key : key.slice(0, bracket);
}

/** Map and Loop levels that two plan nodes have in common. */
function sharedDepth(program: Program, a: string, b: string): number {
  const first = owners(program, a);
  const second = owners(program, b);
  let depth = 0;
  while (depth < first.length && first[depth] === second[depth]) depth++;
  return depth;
}

function owners(program: Program, key: string): number[] {
  const list: number[] = [];
  const index = program.indexOf.get(key);
  if (index === undefined) return list;
  for (let block = program.blockOf[index]!; block.outer !== null; block = block.outer) list.unshift(block.owner);
  return list;
}

function hubKey(program: Program, source: string, target: string, depth: number): string {
  const owner = owners(program, source)[depth] ?? owners(program, target)[depth];
  return owner === undefined ? source : program.plan.nodes[owner]!.key;
}

/** Instances by their first `depth` indices. */
function group(keys: readonly string[], depth: number): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const key of keys) {
    const parts = key.match(/\[\d+\]/g) ?? [];
    const prefix = parts.slice(0, depth).join("");
    const list = groups.get(prefix);
    if (list === undefined) groups.set(prefix, [key]);
    else list.push(key);
  }
  return groups;
}
