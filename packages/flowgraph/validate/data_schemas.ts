import { isSchema, itemsOf, type JsonSchema } from "../analysis/json_schema.ts";
import { schemaAtPath } from "../analysis/schema_at_path.ts";
import type { PlanTree } from "../compile/data_edges.ts";
import { parseReference } from "../parse_reference.ts";
import type { PlanNode } from "../plan.ts";
import { childrenOf } from "../template/plan_to_template.ts";

/** Looks up the output schemas of what nodes call; undefined where there is no such operation or workflow, or it says nothing. */
export interface OutputSchemas {
  operation(operationId: string, labels: Readonly<Record<string, string>> | undefined): unknown;
  workflow(name: string, version: string | undefined): unknown;
}

const UNKNOWN: JsonSchema = Object.freeze({});
/** A container of more branches than this has data of unknown schema. */
const MAX_BRANCHES = 16;

/** The schemas of what nodes return, as far as they are known; `{}` where not. */
export class DataSchemas {
  readonly #nodes: readonly PlanNode[];
  readonly #byKey: ReadonlyMap<string, number>;
  readonly #tree: PlanTree;
  readonly #outputs: OutputSchemas;
  readonly #inputSchema: unknown;
  readonly #known = new Map<number, unknown>();

  constructor(
    nodes: readonly PlanNode[],
    byKey: ReadonlyMap<string, number>,
    tree: PlanTree,
    outputs: OutputSchemas,
    inputSchema: unknown,
  ) {
    this.#nodes = nodes;
    this.#byKey = byKey;
    this.#tree = tree;
    this.#outputs = outputs;
    this.#inputSchema = inputSchema;
  }

  /** Of a node's data as `reader` sees it: from outside its Maps and Loops, lists of it. */
  seenFrom(source: number, reader: number): unknown {
    let schema = this.of(source);
    for (const scope of this.#tree.scopes(source)) {
      const index = this.#byKey.get(scope.key) ?? -1;
      if (index !== reader && this.#tree.holds(index, reader)) break;
      schema = { type: "array", items: schema };
    }
    return schema;
  }

  /** Of `input` and of what the Maps and Loops around the reader bind. */
  ofName(name: string, reader: number): unknown {
    if (name === "input") return this.#inputSchema ?? UNKNOWN;
    for (const scope of this.#tree.scopes(reader)) {
      if (scope.kind === "loop" && scope.as === name) return { type: "integer" };
      if (scope.kind === "map" && scope.as === name) return this.#itemOf(scope, this.#byKey.get(scope.key) ?? 0);
    }
    return UNKNOWN;
  }

  /** Of what a reference's text stands for, read by `reader`. */
  ofReference(text: string, reader: number): unknown {
    const parsed = parseReference(text);
    if (!parsed) return UNKNOWN;
    const { root, path } = parsed;
    if (root === "status" || root === "errors") return UNKNOWN;
    const source = root === "nodes" ? this.#byKey.get(path[0] ?? "") : undefined;
    const schema = source === undefined ? this.ofName(root, reader) : this.seenFrom(source, reader);
    const found = schemaAtPath(schema, source === undefined ? path : path.slice(1));
    return found.found ? found.schema : UNKNOWN;
  }

  /** Of a node's own data. */
  of(index: number): unknown {
    if (this.#known.has(index)) return this.#known.get(index);
    // A Loop may read its own turns: until it is known it is unknown.
    this.#known.set(index, UNKNOWN);
    const schema = this.#make(index) ?? UNKNOWN;
    this.#known.set(index, schema);
    return schema;
  }

  #make(index: number): unknown {
    const node = this.#nodes[index];
    switch (node?.kind) {
      case "operation":
        return this.#outputs.operation(node.operationId, node.spoke);
      case "workflow":
        return this.#outputs.workflow(node.workflow, node.version);
      case "signal":
        return node.schema;
      case "sequential": {
        const last = childrenOf(this.#nodes, index).at(-1);
        return last === undefined ? UNKNOWN : this.of(last);
      }
      case "map":
      case "loop":
        return { type: "array", items: this.of(index + 1) };
      case "parallel":
        return { type: "array", items: this.#anyOf(childrenOf(this.#nodes, index)) };
      case "race":
        return this.#anyOf(childrenOf(this.#nodes, index));
      case "conditional": {
        const branches = childrenOf(this.#nodes, index);
        return branches.length > 1 ? this.#anyOf(branches) : { anyOf: [this.of(index + 1), { type: "null" }] };
      }
      default:
        return UNKNOWN;
    }
  }

  #anyOf(indices: readonly number[]): unknown {
    if (indices.length === 0 || indices.length > MAX_BRANCHES) return UNKNOWN;
    return { anyOf: indices.map((index) => this.of(index)) };
  }

  #itemOf(map: PlanNode, index: number): unknown {
    if (map.kind !== "map" || !("$ref" in map.over)) return UNKNOWN;
    const over = this.ofReference(map.over.$ref, index);
    return isSchema(over) && over.type === "array" ? itemsOf(over) ?? UNKNOWN : UNKNOWN;
  }
}
