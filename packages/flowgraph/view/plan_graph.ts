import { visitReferences } from "../compile/plan_references.ts";
import type { ConditionalNode, Plan, PlanNode } from "../plan.ts";
import { childrenOf } from "../template/plan_to_template.ts";

/** A node of a plan's graph: what runs or waits. Containers are no nodes. */
export interface PlanGraphNode {
  readonly key: string;
  /** `join` stands for a container: see {@linkcode planGraph}. */
  readonly kind: "operation" | "sleep" | "signal" | "workflow" | "join";
  readonly operationId?: string;
}

/** `target` starts after `source` has ended. Keys. */
export interface PlanEdge {
  readonly source: string;
  readonly target: string;
  readonly edgeType: "sequential" | "conditional";
  /** Does the target, or a container that begins with it, read the source's result? Always of a conditional edge. */
  readonly dataFlow: boolean;
  /** The innermost test the target depends on: CEL, or the mark of a function. */
  readonly condition?: string;
  /** The target is in the else-branch. */
  readonly negated?: true;
}

/** A plan as a graph. */
export interface PlanGraph {
  readonly nodes: readonly PlanGraphNode[];
  readonly edges: readonly PlanEdge[];
}

/** Most edges one join may have before it is drawn through a node of its own. */
export const MAX_JOIN_EDGES = 10_000;

/**
 * The DAG of a plan: its operations, waits and child runs, and who waits for whom. Containers are contracted, the ends of one
 * step to the beginnings of the next; the branches of a Conditional lead on together. A join of more than 10,000 such pairs
 * (100 branches followed by 101) goes through a node with a container's key and kind `join`, so that the graph stays linear.
 */
export function planGraph(plan: Plan): PlanGraph {
  return new Builder(plan.nodes).build();
}

/** The edges of {@linkcode planGraph}. */
export function planEdges(plan: Plan): readonly PlanEdge[] {
  return planGraph(plan).edges;
}

/** Where a subtree begins: a node, and the innermost test on the way to it. */
interface Entry {
  readonly index: number;
  readonly condition?: string;
  readonly negated?: true;
}

class Builder {
  readonly #nodes: readonly PlanNode[];
  readonly #entries: (readonly Entry[])[] = [];
  readonly #exits: (readonly number[])[] = [];
  readonly #edges = new Map<number, PlanEdge>();
  readonly #joins = new Set<number>();
  readonly #reads = new Set<number>();

  constructor(nodes: readonly PlanNode[]) {
    this.#nodes = nodes;
  }

  build(): PlanGraph {
    // Children stand behind their parent: going backwards, they are known first.
    for (let i = this.#nodes.length - 1; i >= 0; i--) this.#contract(i);
    this.#noteReads();
    for (let i = 0; i < this.#nodes.length; i++) {
      const node = this.#nodes[i];
      if (node?.kind === "sequential") this.#connectSteps(i);
      for (const source of node?.after ?? []) this.#connect(source, i, true);
    }
    const nodes: PlanGraphNode[] = [];
    for (let i = 0; i < this.#nodes.length; i++) {
      const node = this.#nodes[i];
      if (!node) continue;
      if (isLeaf(node)) {
        const operation = node.kind === "operation" ? { operationId: node.operationId } : {};
        nodes.push({ key: node.key, kind: node.kind, ...operation });
      } else if (this.#joins.has(i)) nodes.push({ key: node.key, kind: "join" });
    }
    return { nodes, edges: [...this.#edges.values()] };
  }

  #contract(index: number): void {
    const node = this.#nodes[index];
    if (!node) return;
    if (isLeaf(node)) {
      this.#entries[index] = [{ index }];
      this.#exits[index] = [index];
      return;
    }
    const children = childrenOf(this.#nodes, index).filter((child) => this.#exitsOf(child).length > 0);
    if (node.kind === "sequential") {
      this.#entries[index] = this.#entriesOf(children[0] ?? -1);
      this.#exits[index] = this.#exitsOf(children.at(-1) ?? -1);
      return;
    }
    this.#exits[index] = children.flatMap((child) => this.#exitsOf(child));
    this.#entries[index] = children.flatMap((child) =>
      node.kind === "conditional" ? this.#tested(node, child) : this.#entriesOf(child)
    );
  }

  #tested(node: ConditionalNode, child: number): readonly Entry[] {
    const condition = conditionText(node);
    const negated = this.#nodes[child]?.branch === "else" ? { negated: true as const } : {};
    return this.#entriesOf(child).map((entry) =>
      entry.condition === undefined ? { index: entry.index, condition, ...negated } : entry
    );
  }

  #connectSteps(index: number): void {
    let before = -1;
    for (const child of childrenOf(this.#nodes, index)) {
      if (this.#exitsOf(child).length === 0) continue;
      if (before !== -1) this.#connect(before, child, false);
      before = child;
    }
  }

  #connect(source: number, target: number, dataFlow: boolean): void {
    const exits = this.#exitsOf(source);
    const entries = this.#entriesOf(target);
    if (exits.length * entries.length <= MAX_JOIN_EDGES) {
      for (const exit of exits) for (const entry of entries) this.#addEdge(exit, entry, dataFlow);
      return;
    }
    // The larger side is a container, whose key then stands between the two.
    const join = exits.length >= entries.length ? source : target;
    this.#joins.add(join);
    for (const exit of exits) this.#addEdge(exit, { index: join }, dataFlow);
    for (const entry of entries) this.#addEdge(join, entry, dataFlow);
  }

  #addEdge(source: number, entry: Entry, dataFlow: boolean): void {
    const pair = source * this.#nodes.length + entry.index;
    const known = this.#edges.get(pair);
    const { condition, negated } = entry;
    this.#edges.set(pair, {
      source: this.#nodes[source]?.key ?? "",
      target: this.#nodes[entry.index]?.key ?? "",
      edgeType: condition === undefined ? "sequential" : "conditional",
      dataFlow: condition !== undefined || dataFlow || this.#reads.has(pair) || (known?.dataFlow ?? false),
      ...(condition !== undefined && { condition }),
      ...(negated && { negated }),
    });
  }

  /** Pairs of nodes of which the second reads the first, containers contracted. */
  #noteReads(): void {
    const byKey = new Map(this.#nodes.map(({ key }, index) => [key, index]));
    for (let i = 0; i < this.#nodes.length; i++) {
      const node = this.#nodes[i];
      if (!node) continue;
      visitReferences(i, node, {
        reference: ({ reader, key }) => {
          const exits = this.#exitsOf(byKey.get(key) ?? -1);
          const entries = this.#entriesOf(reader);
          if (exits.length * entries.length > MAX_JOIN_EDGES) return;
          for (const exit of exits) for (const { index } of entries) this.#reads.add(exit * this.#nodes.length + index);
        },
        name: () => {},
        badExpression: () => {},
      });
    }
  }

  #exitsOf(index: number): readonly number[] {
    return this.#exits[index] ?? [];
  }

  #entriesOf(index: number): readonly Entry[] {
    return this.#entries[index] ?? [];
  }
}

function isLeaf(node: PlanNode): node is Extract<PlanNode, { kind: "operation" | "sleep" | "signal" | "workflow" }> {
  return node.kind === "operation" || node.kind === "sleep" || node.kind === "signal" || node.kind === "workflow";
}

/** A Conditional's test as text. */
function conditionText({ test }: ConditionalNode): string {
  if ("when" in test) return test.when;
  if ("$fn" in test) return test.$fn;
  const key = test.completed;
  return `status${/^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`} == "completed"`;
}
