import type { PlanNode } from "../plan.ts";
import { type DataEdge, findCycle } from "./find_cycle.ts";

/** Events that are looked at before a plan is taken as it is: a template must not keep the compiler busy. */
const MAX_WORK = 5_000_000;

/**
 * Limited Parallels whose children can come to wait for each other's places for ever, as indices, or null. A child keeps its
 * place while nodes inside it wait for nodes outside. The engine gives it none before the siblings that it waits for have ended;
 * so two things are left that no order mends, and both are looked for: siblings that wait for each other's insides, and
 * Parallels, all places of which can be taken by children that wait for a place in the other, or for one in their own by way of
 * the other.
 *
 * Each node is two events, start `2i` and end `2i + 1`, as in `findCycle`.
 */
export function findSlotDeadlock(nodes: readonly PlanNode[]): readonly number[] | null {
  const waits = new SlotWaits(nodes);
  return waits.parallels.length === 0 ? null : waits.siblings() ?? waits.parallelCycle();
}

/** A limited Parallel with children that hold a place while they wait. */
interface Limited {
  readonly index: number;
  readonly max: number;
  readonly children: readonly number[];
  /** Child -> what nodes strictly inside it wait for outside of it. */
  readonly holders: ReadonlyMap<number, readonly number[]>;
}

class SlotWaits {
  readonly parallels: readonly Limited[];
  readonly #nodes: readonly PlanNode[];
  /** The child before, of a Sequential's children. */
  readonly #previous = new Map<number, number>();
  /** Child -> the siblings that the engine has end before it may hold a place. */
  readonly #ordered = new Map<number, ReadonlySet<number>>();
  #work = 0;

  constructor(nodes: readonly PlanNode[]) {
    this.#nodes = nodes;
    const parallels: Limited[] = [];
    for (const [index, node] of nodes.entries()) {
      if (node.kind !== "parallel" || node.maxConcurrency === undefined) continue;
      const children = this.#children(index);
      if (children.length <= node.maxConcurrency) continue;
      const holders = this.#holders(children);
      if (holders.size > 0) parallels.push({ index, max: node.maxConcurrency, children, holders });
    }
    this.parallels = parallels;
    if (parallels.length === 0) return;
    for (const [index, node] of nodes.entries()) {
      if (node.kind !== "sequential") continue;
      const children = this.#children(index);
      for (let at = 1; at < children.length; at++) this.#previous.set(children[at]!, children[at - 1]!);
    }
  }

  /** Parallels two children of which wait for each other's insides. */
  siblings(): readonly number[] | null {
    const edges: DataEdge[] = [];
    for (const [target, node] of this.#nodes.entries()) {
      for (const source of node.after ?? []) edges.push({ source, target });
    }
    const before = edges.length;
    for (const limited of this.parallels) {
      const free = new Set<number>();
      for (const [child, sources] of limited.holders) {
        const found = new Set<number>();
        const seen = this.#behind(limited, sources, free, (sibling) => void (sibling !== child && found.add(sibling)));
        if (found.size === 0) { for (const event of seen) free.add(event); }
        for (const source of found) edges.push({ source, target: child });
        if (found.size > 0) this.#ordered.set(child, found);
      }
    }
    if (edges.length === before || this.#work > MAX_WORK) return null;
    const cycle = findCycle(this.#nodes, edges);
    if (cycle === null) return null;
    const inside = ({ index }: Limited) => cycle.some((node) => node > index && node < this.#nodes[index]!.end);
    return this.parallels.filter(inside).map(({ index }) => index);
  }

  /** Parallels that wait for places in each other. */
  parallelCycle(): readonly number[] | null {
    const blocked = this.parallels.filter(({ holders, max }) => holders.size >= max);
    const ofChild = new Map(blocked.flatMap((one) => one.children.map((child) => [child, one.index] as const)));
    const next = new Map<number, Set<number>>();
    for (const limited of blocked) {
      const found = new Set<number>();
      for (const [child, sources] of limited.holders) {
        // What is known to end before it holds a place; any other sibling behind it may wait for that very place.
        const known = this.#ordered.get(child);
        const onChild = (other: number) => {
          if (other !== child && known?.has(other) !== true) found.add(limited.index);
        };
        for (const event of this.#behind(limited, sources, new Set(), onChild, this.#ordered)) {
          const other = event % 2 === 0 ? ofChild.get(event >> 1) : undefined;
          if (other !== undefined && other !== limited.index) found.add(other);
        }
      }
      next.set(limited.index, found);
    }
    return this.#work > MAX_WORK ? null : cycleOf(next);
  }

  #children(index: number): number[] {
    const children: number[] = [];
    for (let child = index + 1; child < this.#nodes[index]!.end; child = this.#nodes[child]!.end) children.push(child);
    return children;
  }

  #holders(children: readonly number[]): ReadonlyMap<number, readonly number[]> {
    const holders = new Map<number, readonly number[]>();
    for (const child of children) {
      const { end } = this.#nodes[child]!;
      const sources: number[] = [];
      for (let inner = child + 1; inner < end; inner++) {
        for (const source of this.#nodes[inner]!.after ?? []) if (source < child || source >= end) sources.push(source);
      }
      if (sources.length > 0) holders.set(child, sources);
    }
    return holders;
  }

  /** Everything that must happen before `sources` end, up to the Parallel's own children, which are told of. */
  #behind(
    { index, children }: Limited,
    sources: readonly number[],
    free: ReadonlySet<number>,
    onChild: (child: number) => void,
    ordered: ReadonlyMap<number, ReadonlySet<number>> = new Map(),
  ): ReadonlySet<number> {
    const { end } = this.#nodes[index]!;
    const seen = new Set<number>();
    const work = sources.map((source) => 2 * source + 1);
    for (let event = work.pop(); event !== undefined && this.#work <= MAX_WORK; event = work.pop()) {
      if (seen.has(event) || free.has(event)) continue;
      seen.add(event);
      this.#work++;
      const node = event >> 1;
      if (node <= index && this.#nodes[node]!.end > index) continue; // it has begun
      if (node > index && node < end) {
        onChild(childAround(children, node));
        continue;
      }
      for (const before of this.#before(event)) work.push(before);
      if (event % 2 === 0) { for (const sibling of ordered.get(node) ?? []) work.push(2 * sibling + 1); }
    }
    return seen;
  }

  #before(event: number): readonly number[] {
    const index = event >> 1;
    const node = this.#nodes[index]!;
    if (event % 2 === 1) {
      const children = this.#children(index);
      return children.length === 0 ? [2 * index] : children.map((child) => 2 * child + 1);
    }
    const events = (node.after ?? []).map((source) => 2 * source + 1);
    if (node.parent >= 0) events.push(2 * node.parent);
    const previous = this.#previous.get(index);
    if (previous !== undefined) events.push(2 * previous + 1);
    return events;
  }
}

/** The last of ascending `children` that is not behind `node`. */
function childAround(children: readonly number[], node: number): number {
  let [low, high] = [0, children.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (children[middle]! <= node) low = middle;
    else high = middle - 1;
  }
  return children[low]!;
}

/** Takes away what leads nowhere; what stays is on a cycle, or before one. */
function cycleOf(next: Map<number, Set<number>>): readonly number[] | null {
  for (let changed = true; changed;) {
    changed = false;
    for (const [from, to] of next) {
      if ([...to].some((one) => next.has(one))) continue;
      next.delete(from);
      changed = true;
    }
  }
  return next.size === 0 ? null : [...next.keys()];
}
