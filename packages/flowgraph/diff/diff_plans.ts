import type { Json } from "../json.ts";
import type { Plan, PlanNode } from "../plan.ts";
import { planEdges } from "../view/plan_graph.ts";

/** How two plans differ, node by node. Keys are what makes a node the same in both. */
export interface PlanDiff {
  readonly added: readonly DiffNode[];
  readonly removed: readonly DiffNode[];
  readonly changed: readonly NodeChange[];
  /** Nodes that are the same in both. */
  readonly unchanged: number;
  readonly edges: {
    readonly added: readonly DiffEdge[];
    readonly removed: readonly DiffEdge[];
  };
}

export interface DiffNode {
  readonly key: string;
  readonly kind: string;
  /** What an operation node calls. */
  readonly operationId?: string;
}

export interface DiffEdge {
  readonly source: string;
  readonly target: string;
}

export interface NodeChange extends DiffNode {
  /** False: only how it is run has changed (retry, timeout, title …): the result it gave is still what it would give. */
  readonly affectsResult: boolean;
  readonly fields: readonly FieldChange[];
}

export interface FieldChange {
  readonly field: string;
  /** Null: it has none. */
  readonly from: Json;
  readonly to: Json;
}

/** Fields that say where a node stands; compared by key. */
const PLACE: ReadonlySet<string> = new Set(["key", "parent", "end", "after"]);
/** Fields that change how or when a node runs, and not what comes of it. */
const POLICY: ReadonlySet<string> = new Set([
  "retry",
  "timeoutMs",
  "concurrencyKey",
  "priority",
  "spoke",
  "title",
  "maxConcurrency",
  "answerers",
  "within",
]);

/**
 * Compares two plans. A template's function cannot be compared: where `sameFunctions` is false, a node with one has changed.
 *
 * Linear in the plans' sizes.
 */
export function diffPlans(from: Plan, to: Plan, options: { readonly sameFunctions: boolean }): PlanDiff {
  const before = new Map(from.nodes.map((node) => [node.key, node]));
  const after = new Map(to.nodes.map((node) => [node.key, node]));
  const changed: NodeChange[] = [];
  let unchanged = 0;
  for (const node of to.nodes) {
    const old = before.get(node.key);
    if (old === undefined) continue;
    const fields = changedFields(sayable(from, old), sayable(to, node), options.sameFunctions);
    if (fields.length === 0) unchanged++;
    else changed.push({ ...diffNode(node), affectsResult: fields.some(({ field }) => !POLICY.has(field)), fields });
  }
  return {
    added: to.nodes.filter(({ key }) => !before.has(key)).map(diffNode),
    removed: from.nodes.filter(({ key }) => !after.has(key)).map(diffNode),
    changed,
    unchanged,
    edges: diffEdges(from, to),
  };
}

/** A node's own fields, and by key where it stands: `within` its container, `inside` which Maps and Loops. */
function sayable(plan: Plan, node: PlanNode): ReadonlyMap<string, Json> {
  const fields = new Map<string, Json>();
  for (const [name, value] of Object.entries(node)) if (!PLACE.has(name)) fields.set(name, value as Json);
  const inside: string[] = [];
  for (let at = node.parent; at >= 0; at = plan.nodes[at]!.parent) {
    const { kind, key } = plan.nodes[at]!;
    if (kind === "map" || kind === "loop") inside.unshift(key);
  }
  fields.set("within", node.parent < 0 ? null : plan.nodes[node.parent]!.key);
  fields.set("inside", inside);
  return fields;
}

function changedFields(
  from: ReadonlyMap<string, Json>,
  to: ReadonlyMap<string, Json>,
  sameFunctions: boolean,
): FieldChange[] {
  const fields: FieldChange[] = [];
  for (const field of new Set([...from.keys(), ...to.keys()])) {
    const [before, after] = [from.get(field) ?? null, to.get(field) ?? null];
    const text = canonical(before);
    if (text !== canonical(after) || (!sameFunctions && text.includes('"$fn":'))) {
      fields.push({ field, from: before, to: after });
    }
  }
  return fields;
}

function diffNode(node: PlanNode): DiffNode {
  const { key, kind } = node;
  return node.kind === "operation" ? { key, kind, operationId: node.operationId } : { key, kind };
}

function diffEdges(from: Plan, to: Plan): PlanDiff["edges"] {
  const [before, after] = [edgesOf(from), edgesOf(to)];
  return {
    added: [...after].filter(([name]) => !before.has(name)).map(([, edge]) => edge),
    removed: [...before].filter(([name]) => !after.has(name)).map(([, edge]) => edge),
  };
}

function edgesOf(plan: Plan): ReadonlyMap<string, DiffEdge> {
  return new Map(planEdges(plan).map(({ source, target }) => [`${source} ${target}`, { source, target }]));
}

/** JSON text that does not depend on the order of keys. */
function canonical(value: Json): string {
  return JSON.stringify(
    value,
    (_key, part: unknown) =>
      typeof part === "object" && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => a < b ? -1 : 1))
        : part,
  );
}
