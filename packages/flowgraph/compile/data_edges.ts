import type { PlanNode } from "../plan.ts";
import type { PlanReference } from "./plan_references.ts";

/** How one node's reading of another bears on their order. */
export type EdgeFinding =
  /** Structure puts the source first already, or a Loop reads its own turns. */
  | { readonly kind: "ordered" }
  /** The target must wait: indices lifted to the same innermost Map or Loop. */
  | { readonly kind: "after"; readonly source: number; readonly target: number }
  /** The branches of one Conditional never both run: the reader always gets null. */
  | { readonly kind: "never-together" }
  /** A Conditional's test asks for what the Conditional itself would run. */
  | { readonly kind: "test-inside" }
  /** A node would wait for what holds it, or for what it holds. */
  | { readonly kind: "holds-itself"; readonly source: number; readonly target: number };

/** The tree of a plan, for questions about two nodes. */
export class PlanTree {
  readonly #nodes: readonly PlanNode[];
  readonly #depth: Int32Array;
  /** Innermost Map or Loop strictly around a node, -1 for none. */
  readonly #scope: Int32Array;

  constructor(nodes: readonly PlanNode[]) {
    this.#nodes = nodes;
    this.#depth = new Int32Array(nodes.length);
    this.#scope = new Int32Array(nodes.length).fill(-1);
    for (let i = 1; i < nodes.length; i++) {
      const parent = nodes[i]?.parent ?? 0;
      const kind = nodes[parent]?.kind;
      this.#depth[i] = (this.#depth[parent] ?? 0) + 1;
      this.#scope[i] = kind === "map" || kind === "loop" ? parent : this.#scope[parent] ?? -1;
    }
  }

  /** Is `inner` strictly below `outer`? */
  holds(outer: number, inner: number): boolean {
    return inner > outer && inner < (this.#nodes[outer]?.end ?? 0);
  }

  /** Maps and Loops around a node, innermost first; for a Loop's `while` also that Loop. */
  *scopes(index: number): Generator<PlanNode> {
    for (let i = this.#scope[index] ?? -1; i !== -1; i = this.#scope[i] ?? -1) {
      const node = this.#nodes[i];
      if (node) yield node;
    }
  }

  /** What `reader`'s reading of `source` asks of their order. */
  edge(source: number, reader: number, reads: PlanReference["reads"]): EdgeFinding {
    const readerKind = this.#nodes[reader]?.kind;
    if (source === reader || this.holds(source, reader)) {
      if (this.#nodes[source]?.kind === "loop" && reads !== "completed") return { kind: "ordered" };
      return { kind: "holds-itself", source, target: reader };
    }
    if (this.holds(reader, source)) {
      if (readerKind === "loop") return { kind: "ordered" };
      return readerKind === "conditional" ? { kind: "test-inside" } : { kind: "holds-itself", source, target: reader };
    }
    let from = source;
    let to = reader;
    // Outer nodes come first in pre-order: of two scopes that differ, the one of greater index cannot be the common one.
    while (this.#scope[from] !== this.#scope[to]) {
      const fromScope = this.#scope[from] ?? -1;
      const toScope = this.#scope[to] ?? -1;
      if (fromScope > toScope) from = fromScope;
      else to = toScope;
    }
    return this.#order(from, to);
  }

  #order(source: number, target: number): EdgeFinding {
    let from = source;
    let to = target;
    while ((this.#depth[from] ?? 0) > (this.#depth[to] ?? 0)) from = this.#parent(from);
    while ((this.#depth[to] ?? 0) > (this.#depth[from] ?? 0)) to = this.#parent(to);
    while (this.#parent(from) !== this.#parent(to)) {
      from = this.#parent(from);
      to = this.#parent(to);
    }
    const above = this.#nodes[this.#parent(from)]?.kind;
    if (above === "sequential" && from < to) return { kind: "ordered" };
    if (above === "conditional") return { kind: "never-together" };
    return { kind: "after", source, target };
  }

  #parent(index: number): number {
    return this.#nodes[index]?.parent ?? -1;
  }
}
