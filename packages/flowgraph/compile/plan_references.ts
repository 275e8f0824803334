import { compileExpression } from "../expression/compile_expression.ts";
import { parseReference } from "../parse_reference.ts";
import type { PlanNode } from "../plan.ts";

/** One place where a node reads a result of another node. */
export interface PlanReference {
  /** Index of the reading node. */
  readonly reader: number;
  /** Key as written. */
  readonly key: string;
  /** `data` of a node, its status or error, or the status that `test` asks for. */
  readonly reads: "data" | "status" | "errors" | "completed";
  /** Path into the data; empty in expressions, whose paths are not followed. */
  readonly path: readonly string[];
  /** Place within the reading node: property and path below it. */
  readonly at: readonly string[];
  /** Is this the value of `at` (a `$ref`), or a part of an expression? */
  readonly whole: boolean;
}

/** A name that is no node's: `input` or what a Map or Loop binds. */
export interface PlanName {
  readonly reader: number;
  readonly name: string;
  readonly path: readonly string[];
  readonly at: readonly string[];
  readonly whole: boolean;
}

/** Told of everything a node reads, and of expressions that cannot be read. */
export interface ReferenceVisitor {
  readonly reference: (reference: PlanReference) => void;
  readonly name: (name: PlanName) => void;
  readonly badExpression: (reader: number, at: readonly string[], error: Error) => void;
}

/** Visits what one node reads, in a fixed order. References it cannot parse it passes over. */
export function visitReferences(reader: number, node: PlanNode, visitor: ReferenceVisitor): void {
  switch (node.kind) {
    case "operation":
      visitValue(reader, node.input, ["input"], visitor);
      if (node.concurrencyKey !== undefined) visitValue(reader, node.concurrencyKey, ["concurrencyKey"], visitor);
      return;
    case "workflow":
      visitValue(reader, node.input, ["input"], visitor);
      return;
    case "map":
      visitValue(reader, node.over, ["over"], visitor);
      return;
    case "sleep":
      visitValue(reader, node.ms ?? node.until, [node.ms === undefined ? "until" : "ms"], visitor);
      return;
    case "signal":
      if (node.question !== undefined) visitValue(reader, node.question, ["question"], visitor);
      return;
    case "conditional":
      if ("when" in node.test) visitExpression(reader, node.test.when, ["when"], visitor);
      else if ("completed" in node.test) {
        const { completed: key } = node.test;
        visitor.reference({ reader, key, reads: "completed", path: [], at: ["test"], whole: false });
      }
      return;
    case "loop":
      if (typeof node.while === "string") visitExpression(reader, node.while, ["while"], visitor);
      return;
  }
}

function visitValue(reader: number, value: unknown, at: readonly string[], visitor: ReferenceVisitor): void {
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) visitValue(reader, value[i], [...at, String(i)], visitor);
    return;
  }
  const names = Object.keys(value);
  if (names.length === 1 && names[0] === "$ref") {
    const text: unknown = Reflect.get(value, "$ref");
    if (typeof text === "string") visitText(reader, text, at, visitor);
    return;
  }
  for (const name of names) visitValue(reader, Reflect.get(value, name), [...at, name], visitor);
}

/** Visits one reference's text. */
export function visitText(reader: number, text: string, at: readonly string[], visitor: ReferenceVisitor): void {
  const parsed = parseReference(text);
  if (!parsed) return;
  const { root, path } = parsed;
  if (root !== "nodes" && root !== "status" && root !== "errors") {
    visitor.name({ reader, name: root, path, at, whole: true });
    return;
  }
  const [key = ""] = path;
  visitor.reference({ reader, key, reads: root === "nodes" ? "data" : root, path: path.slice(1), at, whole: true });
}

function visitExpression(reader: number, source: string, at: readonly string[], visitor: ReferenceVisitor): void {
  try {
    const { names } = compileExpression(source);
    const common = { reader, path: [], at, whole: false };
    for (const key of names.nodes) visitor.reference({ ...common, key, reads: "data" });
    for (const key of names.status) visitor.reference({ ...common, key, reads: "status" });
    for (const key of names.errors) visitor.reference({ ...common, key, reads: "errors" });
    for (const name of names.other) visitor.name({ ...common, name });
    for (const root of names.whole) {
      visitor.badExpression(reader, at, new Error(`"${root}" must be followed by a node's key, as in ${root}.a`));
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    visitor.badExpression(reader, at, error);
  }
}
