import { nearestName } from "../nearest_name.ts";
import { parseReference } from "../parse_reference.ts";
import type { PlanNode, Reference } from "../plan.ts";
import { PlanTree } from "./data_edges.ts";
import type { Problems } from "./draft.ts";
import { type DataEdge, findCycle } from "./find_cycle.ts";
import { findSlotDeadlock } from "./find_slot_deadlock.ts";
import { type PlanName, type PlanReference, visitReferences, visitText } from "./plan_references.ts";

type Locate = (index: number, at: readonly string[]) => string;

/** Resolves every reference, puts `after` into the nodes that need it, and looks for cycles. */
export function connect(
  nodes: readonly PlanNode[],
  byKey: ReadonlyMap<string, number>,
  output: Reference | null,
  problems: Problems,
  locate: Locate,
): PlanNode[] {
  const connection = new Connection(nodes, byKey, problems, locate);
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i];
    if (node) visitReferences(i, node, connection);
  }
  if (output) connection.checkOutput(output);
  return connection.finish();
}

class Connection {
  readonly #nodes: readonly PlanNode[];
  readonly #byKey: ReadonlyMap<string, number>;
  readonly #problems: Problems;
  readonly #locate: Locate;
  readonly #edges: DataEdge[] = [];
  readonly #after = new Map<number, Set<number>>();
  #lazyTree: PlanTree | null = null;

  constructor(nodes: readonly PlanNode[], byKey: ReadonlyMap<string, number>, problems: Problems, locate: Locate) {
    this.#nodes = nodes;
    this.#byKey = byKey;
    this.#problems = problems;
    this.#locate = locate;
  }

  get #tree(): PlanTree {
    return this.#lazyTree ??= new PlanTree(this.#nodes);
  }

  reference = (reference: PlanReference): void => {
    const { reader, key, reads, at } = reference;
    const source = this.#find(reference);
    if (source === null) return;
    const finding = this.#tree.edge(source, reader, reads);
    switch (finding.kind) {
      case "after":
      case "holds-itself":
        this.#edges.push(finding);
        if (finding.kind === "after") {
          const sources = this.#after.get(finding.target);
          if (sources) sources.add(finding.source);
          else this.#after.set(finding.target, new Set([finding.source]));
        }
        return;
      case "test-inside":
        this.#add(
          reader,
          at,
          "test-inside-conditional",
          `The test names "${key}", which stands inside the same Conditional`,
        );
        return;
      case "never-together": {
        const message = `"${key}" stands in the other branch of the same Conditional and never runs with this node`;
        this.#add(reader, at, "unreachable-reference", message);
      }
    }
  };

  name = ({ reader, name, at }: PlanName): void => {
    if (name === "input" || this.#problems.full) return;
    const bound: string[] = [];
    const own = this.#nodes[reader];
    if (own?.kind === "loop" && at[0] === "while" && own.as !== undefined) bound.push(own.as);
    for (const scope of this.#tree.scopes(reader)) {
      if ((scope.kind === "map" || scope.kind === "loop") && scope.as !== undefined) bound.push(scope.as);
    }
    // A missing `as` has its own problem: this may be the name that it was to be.
    if (bound.includes(name) || bound.includes("")) return;
    const known = ["nodes", "input", "status", "errors", ...bound];
    const suggestion = this.#byKey.has(name) ? `nodes.${name}` : nearestName(name, known);
    const message = `Unknown name "${name}"` + hint(suggestion, `want one of ${known.join(", ")}`);
    this.#add(reader, at, "unknown-reference", message, suggestion);
  };

  badExpression = (reader: number, at: readonly string[], error: Error): void => {
    if (this.#isMissing(this.#locate(Math.max(reader, 0), at))) return;
    this.#add(reader, at, "bad-expression", error.message);
  };

  /** The output may name any node, and the input, but nothing a Map or Loop binds. */
  checkOutput(output: Reference): void {
    if (!parseReference(output.$ref)) {
      this.#add(0, ["output"], "bad-reference", `Cannot read reference "${output.$ref}"`);
      return;
    }
    visitText(-1, output.$ref, ["output"], {
      reference: (reference) => this.#find(reference),
      name: this.name,
      badExpression: this.badExpression,
    });
  }

  finish(): PlanNode[] {
    const nodes = this.#nodes.map((node, index) => this.#withAfter(node, index));
    const cycle = this.#edges.length > 0 ? findCycle(this.#nodes, this.#edges) : null;
    if (cycle) {
      const [first = 0] = cycle;
      const keys = cycle.map((index) => this.#nodes[index]?.key ?? "");
      this.#add(first, [], "cycle", `These nodes wait for each other: ${[...keys, keys[0]].join(" -> ")}`);
    }
    const stuck = this.#edges.length > 0 && cycle === null ? findSlotDeadlock(nodes) : null;
    if (stuck !== null) {
      const keys = stuck.map((index) => `"${nodes[index]?.key}"`).join(" and ");
      const message = stuck.length > 1
        ? `Children of ${keys} can wait for places in each other for ever`
        : `Children of ${keys} wait for each other's insides, and can keep the places that the others need for ever`;
      const advice =
        "raise maxConcurrency, or let a child of a limited Parallel read from outside only where it begins";
      this.#add(stuck[0] ?? 0, ["maxConcurrency"], "slot-deadlock", `${message}: ${advice}`);
    }
    return nodes;
  }

  #withAfter(node: PlanNode, index: number): PlanNode {
    const sources = this.#after.get(index);
    if (!sources) return Object.freeze(node);
    return Object.freeze({ ...node, after: Object.freeze([...sources].sort((a, b) => a - b)) });
  }

  #find({ reader, key, reads, at }: PlanReference): number | null {
    const found = this.#byKey.get(key);
    if (found !== undefined) return found;
    if (this.#problems.full) return null;
    const tested = reads === "completed";
    const operations = tested ? this.#nodes.flatMap((node) => node.kind === "operation" ? [node.operationId] : []) : [];
    const suggestion = nearestName(key, [...this.#byKey.keys(), ...operations]);
    const otherwise = tested
      ? "it is neither a node's key nor an operation of this template"
      : "no node of this template has that key";
    this.#add(reader, at, "unknown-reference", `Unknown node "${key}"` + hint(suggestion, otherwise), suggestion);
    return null;
  }

  /** Is the prop itself what is wrong? Then there is no expression to complain of. */
  #isMissing(path: string): boolean {
    return this.#problems.found.some((problem) =>
      problem.code === "missing-prop" || problem.code === "wrong-type"
        ? path === problem.path || path.startsWith(`${problem.path}/`)
        : false
    );
  }

  #add(
    reader: number,
    at: readonly string[],
    code: Parameters<Problems["add"]>[1],
    message: string,
    suggestion?: string,
  ): void {
    const node = this.#nodes[reader]?.key;
    this.#problems.add(this.#locate(Math.max(reader, 0), at), code, message, {
      ...(node !== undefined && { node }),
      ...(suggestion !== undefined && { suggestion }),
    });
  }
}

function hint(suggestion: string | undefined, otherwise: string): string {
  return suggestion === undefined ? `: ${otherwise}` : `: did you mean "${suggestion}"?`;
}
