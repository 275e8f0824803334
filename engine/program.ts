/**
 * A plan made ready to run: per frame level (the plan itself, and the body of each Map and Loop) one {@linkcode Block} of
 * vertices with counted predecessors. An operation is one vertex; a container is two, its `enter` and its `exit`.
 * Compiled once per plan, shared by all its runs, never changed.
 *
 * - B1 The vertices of a plan node's subtree (within its block) are contiguous: `entry[node] ..= exit[node]`.
 * - B2 Successors never leave the block. What crosses a Map or Loop goes through its enter and exit.
 */
import type { Plan, PlanFunction, PlanNode } from "@alkdev/flowgraph";

/** What a vertex is. */
export const VertexKind = {
  CALL: 0,
  ENTER: 1,
  EXIT: 2,
  GATE: 3,
  EXPAND: 4,
  LOOP: 5,
  RACE_EXIT: 6,
  FRAMES_EXIT: 7,
  WAIT: 8,
} as const;
export type VertexKind = typeof VertexKind[keyof typeof VertexKind];

/** One frame level of a program. */
export interface Block {
  /** Index of the plan node this block starts at: 0, or the body of a Map or Loop. */
  readonly root: number;
  /** Enclosing block; null for the plan's own. */
  readonly outer: Block | null;
  /** The Map or Loop whose body this is; -1 for the plan's own. */
  readonly owner: number;
  readonly kinds: readonly VertexKind[];
  /** Plan node of each vertex. */
  readonly nodes: readonly number[];
  /** Predecessors of each vertex. */
  readonly pending: readonly number[];
  readonly successors: readonly (readonly number[])[];
  /** Entry vertex of the limited Parallel child that a vertex is entry of -> enter vertex of that Parallel; else -1. */
  readonly slotOf: readonly number[];
  /** Exit vertex -> entry vertex of the same limited child; else -1. */
  readonly slotEntry: readonly number[];
  /** Entry vertex of a limited child -> exits of the siblings that must have ended before it may hold a slot. */
  readonly slotAfter: ReadonlyMap<number, readonly number[]>;
}

export interface Program {
  readonly plan: Plan;
  readonly functions: ReadonlyMap<string, PlanFunction>;
  readonly root: Block;
  /** By plan index: the block a node's vertices live in. */
  readonly blockOf: readonly Block[];
  /** By plan index of a Map or Loop: its body's block. */
  readonly bodies: ReadonlyMap<number, Block>;
  /** By plan index: first and last vertex of its subtree in its block. */
  readonly entry: readonly number[];
  readonly exit: readonly number[];
  readonly indexOf: ReadonlyMap<string, number>;
}

/** Operation-like: has an outcome of its own in the log. */
export function isLeaf(node: PlanNode): boolean {
  return node.kind === "operation" || node.kind === "workflow" || node.kind === "sleep" || node.kind === "signal";
}

/** Indices of a node's children. */
export function* childrenOf(plan: Plan, index: number): Generator<number> {
  const end = plan.nodes[index]!.end;
  for (let child = index + 1; child < end; child = plan.nodes[child]!.end) yield child;
}

interface Draft {
  readonly block: Block;
  readonly kinds: VertexKind[];
  readonly nodes: number[];
  readonly pending: number[];
  readonly successors: number[][];
  readonly slotOf: number[];
  readonly slotEntry: number[];
  readonly slotAfter: Map<number, readonly number[]>;
}

/** Compiles a plan. Linear in nodes and edges; does not recurse. */
export function compileProgram(plan: Plan, functions: ReadonlyMap<string, PlanFunction> = new Map()): Program {
  const size = plan.nodes.length;
  const entry = new Array<number>(size).fill(-1);
  const exit = new Array<number>(size).fill(-1);
  const blockOf = new Array<Block>(size);
  const bodies = new Map<number, Block>();
  const drafts = new Map<Block, Draft>();
  const root = openBlock(drafts, 0, null, -1);
  const open: number[] = [];
  const close = (upTo: number) => {
    while (open.length > 0 && plan.nodes[open[open.length - 1]!]!.end <= upTo) {
      const index = open.pop()!;
      exit[index] = addVertex(drafts.get(blockOf[index]!)!, exitKind(plan.nodes[index]!), index);
    }
  };
  for (let index = 0; index < size; index++) {
    close(index);
    const node = plan.nodes[index]!;
    const parent = node.parent;
    const inBody = parent >= 0 && (plan.nodes[parent]!.kind === "map" || plan.nodes[parent]!.kind === "loop");
    const block = parent < 0 ? root : inBody ? bodies.get(parent)! : blockOf[parent]!;
    blockOf[index] = block;
    entry[index] = addVertex(drafts.get(block)!, enterKind(node), index);
    if (isLeaf(node)) {
      exit[index] = entry[index]!;
      continue;
    }
    open.push(index);
    if (node.kind === "map" || node.kind === "loop") bodies.set(index, openBlock(drafts, index + 1, block, index));
  }
  close(size);
  for (let index = 0; index < size; index++) link(plan, index, drafts.get(blockOf[index]!)!, entry, exit);
  for (const draft of drafts.values()) orderSlots(plan, draft, entry, exit);
  const indexOf = new Map(plan.nodes.map((node, index) => [node.key, index] as const));
  return { plan, functions, root, blockOf, bodies, entry, exit, indexOf };
}

function openBlock(drafts: Map<Block, Draft>, root: number, outer: Block | null, owner: number): Block {
  const lists = { kinds: [], nodes: [], pending: [], successors: [], slotOf: [], slotEntry: [], slotAfter: new Map() };
  const block: Block = { root, outer, owner, ...lists };
  drafts.set(block, { block, ...lists });
  return block;
}

function addVertex(draft: Draft, kind: VertexKind, node: number): number {
  draft.kinds.push(kind);
  draft.nodes.push(node);
  draft.pending.push(0);
  draft.successors.push([]);
  draft.slotOf.push(-1);
  draft.slotEntry.push(-1);
  return draft.kinds.length - 1;
}

function enterKind(node: PlanNode): VertexKind {
  switch (node.kind) {
    case "operation":
    case "workflow":
      return VertexKind.CALL;
    case "sleep":
    case "signal":
      return VertexKind.WAIT;
    case "conditional":
      return VertexKind.GATE;
    case "map":
      return VertexKind.EXPAND;
    case "loop":
      return VertexKind.LOOP;
    default:
      return VertexKind.ENTER;
  }
}

function exitKind(node: PlanNode): VertexKind {
  if (node.kind === "map" || node.kind === "loop") return VertexKind.FRAMES_EXIT;
  return node.kind === "race" ? VertexKind.RACE_EXIT : VertexKind.EXIT;
}

function connect(draft: Draft, from: number, to: number): void {
  draft.successors[from]!.push(to);
  draft.pending[to]!++;
}

/** Whether a Parallel's limit can ever hold a child back. */
function isLimit(plan: Plan, index: number, max: number | undefined): boolean {
  if (max === undefined) return false;
  let count = 0;
  for (const _ of childrenOf(plan, index)) if (++count > max) return true;
  return false;
}

/** Adds the edges that a node's own structure and its `after` list call for. */
function link(plan: Plan, index: number, draft: Draft, entry: number[], exit: number[]): void {
  const node = plan.nodes[index]!;
  for (const source of node.after ?? []) connect(draft, exit[source]!, entry[index]!);
  if (isLeaf(node)) return;
  if (node.kind === "map" || node.kind === "loop") return connect(draft, entry[index]!, exit[index]!);
  const limited = node.kind === "parallel" && isLimit(plan, index, node.maxConcurrency);
  let previous = entry[index]!;
  for (const child of childrenOf(plan, index)) {
    if (node.kind === "sequential") {
      connect(draft, previous, entry[child]!);
      previous = exit[child]!;
      continue;
    }
    connect(draft, entry[index]!, entry[child]!);
    connect(draft, exit[child]!, exit[index]!);
    if (limited) {
      draft.slotOf[entry[child]!] = entry[index]!;
      draft.slotEntry[exit[child]!] = entry[child]!;
    }
  }
  if (node.kind === "sequential" || node.end === index + 1) connect(draft, previous, exit[index]!);
}

/**
 * A limited child that waits inside for a sibling would keep the slot that the sibling needs: it gets none before the sibling
 * has ended. Only `after` edges can ask for that, so blocks without any into a limited child's inside cost nothing.
 */
function orderSlots(plan: Plan, draft: Draft, entry: readonly number[], exit: readonly number[]): void {
  if (draft.slotOf.every((enter) => enter < 0)) return;
  let before: number[][] | null = null;
  const parallels = new Set(draft.slotOf.filter((enter) => enter >= 0).map((enter) => draft.nodes[enter]!));
  for (const parallel of parallels) {
    const children = [...childrenOf(plan, parallel)];
    const siblings = new Siblings(children.map((child) => [entry[child]!, exit[child]!]));
    for (const child of children) {
      const sources: number[] = [];
      for (let node = child + 1; node < plan.nodes[child]!.end; node++) {
        // A body of a Map or Loop has vertices of its own block; what it waits for has been lifted to the Map or Loop.
        if (draft.nodes[entry[node]!] !== node) continue;
        for (const source of plan.nodes[node]!.after ?? []) sources.push(exit[source]!);
      }
      if (sources.length === 0) continue;
      const waits = siblings.behind(sources, entry[child]!, entry[parallel]!, before ??= reverse(draft.successors));
      if (waits.length > 0) draft.slotAfter.set(entry[child]!, waits);
    }
  }
}

function reverse(successors: readonly (readonly number[])[]): number[][] {
  const before: number[][] = successors.map(() => []);
  successors.forEach((list, from) => list.forEach((to) => before[to]!.push(from)));
  return before;
}

/** The children of one limited Parallel, as ascending ranges of vertices. */
class Siblings {
  readonly #ranges: readonly (readonly [number, number])[];
  /** Vertices known to wait for no sibling: so that 10,000 children that read one node look behind it once. */
  readonly #free: Set<number> = new Set();

  constructor(ranges: readonly (readonly [number, number])[]) {
    this.#ranges = ranges;
  }

  /** Exits of the siblings of `self` that must end before all of `sources` can. */
  behind(sources: readonly number[], self: number, stop: number, before: readonly (readonly number[])[]): number[] {
    const found = new Set<number>();
    const seen = new Set<number>([stop]);
    const work = [...sources];
    let inside = false;
    for (let vertex = work.pop(); vertex !== undefined; vertex = work.pop()) {
      if (seen.has(vertex) || this.#free.has(vertex)) continue;
      seen.add(vertex);
      const range = this.#find(vertex);
      inside ||= range !== null;
      if (range === null) work.push(...before[vertex]!);
      else if (range[0] !== self) found.add(range[1]);
      else work.push(...before[vertex]!.filter((one) => one < self || one > range[1]));
    }
    if (!inside) { for (const vertex of seen) this.#free.add(vertex); }
    return [...found].sort((a, b) => a - b);
  }

  #find(vertex: number): readonly [number, number] | null {
    let [low, high] = [0, this.#ranges.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const range = this.#ranges[middle]!;
      if (vertex < range[0]) high = middle - 1;
      else if (vertex > range[1]) low = middle + 1;
      else return range;
    }
    return null;
  }
}
