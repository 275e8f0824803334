import type { PlanNode } from "../plan.ts";

/** An edge that data flow demands: `target` starts after `source` has ended. Indices of nodes. */
export interface DataEdge {
  readonly source: number;
  readonly target: number;
}

/**
 * A cycle of structure and data edges, as indices of the nodes on it in order of waiting, or null. Linear in nodes and edges.
 *
 * Each node is two events, start `2i` and end `2i + 1`. A parent starts before and ends after its children, a Sequential's
 * child starts after the one before it has ended.
 */
export function findCycle(nodes: readonly PlanNode[], edges: readonly DataEdge[]): number[] | null {
  const graph = new EventGraph(nodes.length * 2, nodes.length * 4 + edges.length);
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i];
    if (!node) continue;
    graph.connect(2 * i, 2 * i + 1);
    if (node.parent < 0) continue;
    graph.connect(2 * node.parent, 2 * i);
    graph.connect(2 * i + 1, 2 * node.parent + 1);
    if (nodes[node.parent]?.kind === "sequential" && node.end < (nodes[node.parent]?.end ?? 0)) {
      graph.connect(2 * i + 1, 2 * node.end);
    }
  }
  for (const { source, target } of edges) graph.connect(2 * source + 1, 2 * target);
  const events = graph.cycle();
  return events && namedNodes(events, nodes, edges);
}

/** Nodes of a cycle of events: operations and the like, and containers only where a data edge touches them. */
function namedNodes(events: readonly number[], nodes: readonly PlanNode[], edges: readonly DataEdge[]): number[] {
  const touched = new Set(edges.flatMap(({ source, target }) => [source, target]));
  const cycle: number[] = [];
  for (const event of events) {
    const index = event >> 1;
    const kind = nodes[index]?.kind;
    const leaf = kind === "operation" || kind === "workflow" || kind === "sleep" || kind === "signal";
    if ((leaf || touched.has(index)) && !cycle.includes(index)) cycle.push(index);
  }
  return cycle;
}

class EventGraph {
  readonly #head: Int32Array;
  readonly #next: Int32Array;
  readonly #to: Int32Array;
  readonly #incoming: Int32Array;
  #edges = 0;

  constructor(events: number, edges: number) {
    this.#head = new Int32Array(events).fill(-1);
    this.#incoming = new Int32Array(events);
    this.#next = new Int32Array(edges);
    this.#to = new Int32Array(edges);
  }

  connect(from: number, to: number): void {
    this.#to[this.#edges] = to;
    this.#next[this.#edges] = this.#head[from] ?? -1;
    this.#head[from] = this.#edges++;
    this.#incoming[to] = (this.#incoming[to] ?? 0) + 1;
  }

  *#targets(from: number): Generator<number> {
    for (let edge = this.#head[from] ?? -1; edge !== -1; edge = this.#next[edge] ?? -1) yield this.#to[edge] ?? -1;
  }

  /** Takes events without predecessors away until none is left; what stays holds a cycle. */
  cycle(): number[] | null {
    const ready: number[] = [];
    for (let event = 0; event < this.#incoming.length; event++) if (this.#incoming[event] === 0) ready.push(event);
    let taken = 0;
    for (let event = ready.pop(); event !== undefined; event = ready.pop()) {
      taken++;
      for (const to of this.#targets(event)) {
        const left = (this.#incoming[to] ?? 0) - 1;
        this.#incoming[to] = left;
        if (left === 0) ready.push(to);
      }
    }
    return taken === this.#incoming.length ? null : this.#walkBack();
  }

  /** Every event that stayed has a predecessor that stayed, so going back must come round. */
  #walkBack(): number[] {
    const before = new Int32Array(this.#incoming.length).fill(-1);
    let at = -1;
    for (let event = 0; event < this.#incoming.length; event++) {
      if ((this.#incoming[event] ?? 0) === 0) continue;
      at = event;
      for (const to of this.#targets(event)) if ((this.#incoming[to] ?? 0) > 0) before[to] = event;
    }
    const seen = new Map<number, number>();
    const path: number[] = [];
    while (!seen.has(at)) {
      seen.set(at, path.length);
      path.push(at);
      at = before[at] ?? -1;
    }
    return path.slice(seen.get(at)).reverse();
  }
}
