/** What is to be drawn of a graph: the plan's containers, with one body for each Map item and Loop turn. */

/** A node or a container, as the hub tells of it. */
export interface NodeState {
  readonly key: string;
  readonly kind: string;
  readonly operationId: string | null;
  readonly title: string | null;
  readonly status: string;
  readonly attempts: number;
}

/** One node of a plan, in pre-order; `parent` is an index, -1 for the root. */
export interface PlanPlace {
  readonly key: string;
  readonly kind: string;
  readonly parent: number;
  readonly branch?: "then" | "else";
  readonly operationId?: string;
}

export interface ShapeTree {
  readonly key: string;
  readonly kind: string;
  readonly label: string;
  readonly status: string;
  readonly attempts: number;
  readonly operationId: string | null;
  readonly branch: "then" | "else" | null;
  readonly children: readonly ShapeTree[];
  /** Statuses of all bodies of a folded Map or Loop; null: it is not folded. */
  readonly folded: readonly string[] | null;
  /** Bodies of a Map or Loop. */
  readonly bodies: number;
}

/** A Map or Loop with more bodies is folded until somebody opens it. */
export const FOLD_FROM = 13;

export interface TreeParams {
  readonly tree: readonly PlanPlace[];
  /** Null: a plan alone, in which each Map and Loop has its body once. */
  readonly nodes: readonly NodeState[] | null;
  /** Keys of Maps and Loops that stand otherwise than {@linkcode FOLD_FROM} has it. */
  readonly toggled: ReadonlySet<string>;
}

/** Builds the tree. Linear in what is drawn; recursion is as deep as the template nests. */
export function shapeTree({ tree, nodes, toggled }: TreeParams): ShapeTree | null {
  const states = new Map((nodes ?? []).map((node) => [node.key, node]));
  const children = new Map<number, number[]>();
  tree.forEach(({ parent }, index) => {
    const list = children.get(parent);
    if (list === undefined) children.set(parent, [index]);
    else list.push(index);
  });
  const indexOf = new Map(tree.map(({ key }, index) => [key, index]));
  const bodies = countBodies(tree, nodes ?? [], indexOf);
  const build = (index: number, suffix: string): ShapeTree => {
    const { key, kind, branch, operationId } = tree[index]!;
    const own = states.get(key + suffix);
    const inner = children.get(index) ?? [];
    const repeats = nodes !== null && (kind === "map" || kind === "loop");
    const count = repeats ? bodies.get(key + suffix) ?? 0 : 0;
    const isFolded = repeats && (count >= FOLD_FROM) !== toggled.has(key + suffix) && count > 0;
    const shapes = !repeats
      ? inner.map((child) => build(child, suffix))
      : isFolded
      ? []
      : Array.from({ length: count }, (_, item) => inner.map((child) => build(child, `${suffix}[${item}]`))).flat();
    return {
      key: key + suffix,
      kind,
      label: own?.title ?? labelOf(key, kind) + suffix,
      status: own?.status ?? statusOf(shapes),
      attempts: own?.attempts ?? 0,
      operationId: operationId ?? own?.operationId ?? null,
      branch: branch ?? null,
      children: shapes,
      folded: isFolded
        ? Array.from({ length: count }, (_, item) => statusOf(inner.map((child) => build(child, `${suffix}[${item}]`))))
        : null,
      bodies: count,
    };
  };
  return tree.length === 0 ? null : build(0, "");
}

/** How many bodies each Map and Loop has, by its key: read off the keys of what is in them. */
function countBodies(
  tree: readonly PlanPlace[],
  nodes: readonly NodeState[],
  indexOf: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { key } of nodes) {
    const at = key.indexOf("[");
    if (at < 0) continue;
    const indices = [...key.slice(at).matchAll(/\[(\d+)\]/g)].map(([, digits]) => Number(digits));
    const owners: string[] = [];
    for (let index = indexOf.get(key.slice(0, at)) ?? -1; index >= 0;) {
      const { parent } = tree[index]!;
      const kind = tree[parent]?.kind;
      if (kind === "map" || kind === "loop") owners.unshift(tree[parent]!.key);
      index = parent;
    }
    let suffix = "";
    indices.forEach((item, depth) => {
      const owner = `${owners[depth] ?? ""}${suffix}`;
      counts.set(owner, Math.max(counts.get(owner) ?? 0, item + 1));
      suffix += `[${item}]`;
    });
  }
  return counts;
}

const FIRST: readonly string[] = ["failed", "running", "waiting", "ready", "paused", "aborted"];

/** What a container that has no status of its own is, by what is in it. */
function statusOf(children: readonly ShapeTree[]): string {
  const found = new Set(children.map(({ status }) => status));
  for (const status of FIRST) if (found.has(status)) return status;
  if (found.has("completed")) return found.has("idle") ? "running" : "completed";
  return found.has("skipped") && !found.has("idle") ? "skipped" : "idle";
}

/** Keys that nobody gave begin with two underscores. */
function labelOf(key: string, kind: string): string {
  return key.startsWith("__") ? kind : key;
}
