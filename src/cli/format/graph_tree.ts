import { safeText } from "./text_width.ts";

/** One node of a run's graph, as the HTTP API gives it. */
export interface GraphNodeView {
  readonly key: string;
  readonly kind: string;
  readonly operationId: string | null;
  readonly title: string | null;
  readonly parent: string | null;
  readonly status: string;
  readonly attempts: number;
  /** Of a Map or Loop that has begun. */
  readonly items?: number;
  /** Where its result was taken over from; absent: it is the run's own. */
  readonly reusedFrom?: { readonly runId: string };
  /** Ms since the epoch. */
  readonly startedAt: number | null;
  readonly completedAt: number | null;
  readonly error?: { readonly code: string; readonly message: string };
}

/** One node of a plan: in pre-order, `parent` an index, -1 for the root. */
export interface PlanNodeView {
  readonly key: string;
  readonly kind: string;
  readonly parent: number;
  readonly branch?: string;
  readonly operationId?: string;
}

/** A place in the plan with all its instances: one, unless it stands in a Map or Loop. */
export interface TreeNode {
  readonly key: string;
  readonly kind: string;
  readonly branch: string | null;
  readonly instances: readonly GraphNodeView[];
  readonly children: readonly TreeNode[];
}

/** The key of a node without the indices of Map and Loop around it. */
export function baseKey(key: string): string {
  const bracket = key.indexOf("[");
  return bracket < 0 ? key : key.slice(0, bracket);
}

/**
 * The tree of containers with the graph's nodes in their places. Without a plan, or with one that lacks a node of the graph,
 * only Maps and Loops are known as containers.
 */
export function graphTree(nodes: readonly GraphNodeView[], plan: readonly PlanNodeView[] | null): readonly TreeNode[] {
  const instances = new Map<string, GraphNodeView[]>();
  for (const node of nodes) {
    const key = baseKey(node.key);
    const list = instances.get(key);
    if (list === undefined) instances.set(key, [node]);
    else list.push(node);
  }
  const known = new Set(plan?.map(({ key }) => key));
  const shape = plan !== null && [...instances.keys()].every((key) => known.has(key)) ? plan : guessPlan(instances);
  interface Growing extends TreeNode {
    readonly children: Growing[];
  }
  const roots: Growing[] = [];
  const grown: Growing[] = [];
  for (const { key, kind, parent, branch } of shape) {
    const node: Growing = { key, kind, branch: branch ?? null, instances: instances.get(key) ?? [], children: [] };
    grown.push(node);
    (grown[parent]?.children ?? roots).push(node);
  }
  return roots;
}

function guessPlan(instances: ReadonlyMap<string, readonly GraphNodeView[]>): readonly PlanNodeView[] {
  const found = [...instances].map(([key, [first]]) => ({ key, first })).sort((a, b) =>
    depthOf(a.first) - depthOf(b.first)
  );
  const indexOf = new Map(found.map(({ key }, index) => [key, index]));
  return found.map(({ key, first }) => {
    const own = first?.parent === null || first === undefined ? undefined : indexOf.get(baseKey(first.parent));
    const around = found.findLastIndex((other) =>
      (other.first?.kind === "map" || other.first?.kind === "loop") && depthOf(other.first) === depthOf(first) - 1
    );
    return { key, kind: first?.kind ?? "operation", parent: own ?? around };
  });
}

function depthOf(node: GraphNodeView | undefined): number {
  return node?.key.match(/\[\d+\]/g)?.length ?? 0;
}

/** Ms that a node took, its attempts and pauses included; null while it has not ended. */
export function durationOf({ startedAt, completedAt }: GraphNodeView): number | null {
  return startedAt === null || completedAt === null ? null : Math.max(0, completedAt - startedAt);
}

/** A node's error on one line. */
export function errorLine(error: { readonly code: string; readonly message: string }): string {
  return safeText(`${error.code}: ${error.message}`);
}
