import type { TemplateDAG } from "../graph/flow_graph.ts";

/** A node's part in a Parallel that lets only so many of its branches be at work. */
export interface Limit {
  /** Of the Parallel. */
  readonly id: string;
  /** The branch that the node is in. */
  readonly branch: string;
  readonly max: number;
}

/** The limits of a node, if the renderer wrote any. */
export function limitsOf(dag: TemplateDAG, key: string): readonly Limit[] {
  const attributes = dag.getNodeAttributes(key);
  return "limits" in attributes && Array.isArray(attributes.limits) ? attributes.limits.filter(isLimit) : [];
}

interface Group {
  /** Branches that have begun and are not over: at most as many as the limit, but for calls that nobody asked us about. */
  readonly open: Set<string>;
  /** Nodes that would be ready but for this limit. */
  readonly held: Set<string>;
  readonly branches: Map<string, string[]>;
}

/** Counts the branches at work of every limited Parallel. A branch has its place from its first ready node to its last end. */
export class Slots {
  readonly #groups = new Map<string, Group>();

  clear(): void {
    this.#groups.clear();
  }

  add(key: string, limits: readonly Limit[]): void {
    for (const { id, branch } of limits) {
      let group = this.#groups.get(id);
      if (group === undefined) this.#groups.set(id, group = { open: new Set(), held: new Set(), branches: new Map() });
      const keys = group.branches.get(branch);
      if (keys === undefined) group.branches.set(branch, [key]);
      else keys.push(key);
    }
  }

  /** Takes a place for the node's branch in each of its limits; false, with none taken, when one of them has none. */
  take(key: string, limits: readonly Limit[]): boolean {
    let free = true;
    for (const { id, branch, max } of limits) {
      const group = this.#groups.get(id);
      if (group === undefined || group.open.has(branch) || group.open.size < max) continue;
      group.held.add(key);
      free = false;
    }
    if (free) this.occupy(limits);
    return free;
  }

  /** Takes the places, whether there are any or not: the call has been made. */
  occupy(limits: readonly Limit[]): void {
    for (const { id, branch } of limits) this.#groups.get(id)?.open.add(branch);
  }

  /** A node has ended: gives its branch's places back if that is over. Returns the nodes that waited for one. */
  release(limits: readonly Limit[], hasEnded: (key: string) => boolean): string[] {
    return limits.flatMap(({ id, branch }) => {
      const group = this.#groups.get(id);
      if (group?.open.has(branch) !== true || group.branches.get(branch)?.every(hasEnded) !== true) return [];
      group.open.delete(branch);
      const held = [...group.held];
      group.held.clear();
      return held;
    });
  }
}

function isLimit(value: unknown): value is Limit {
  return typeof value === "object" && value !== null && "id" in value && "branch" in value && "max" in value;
}
