import type { ASTNode } from "@marcbachmann/cel-js";

/** What an expression reads, by root. */
export interface ExpressionNames {
  /** Keys under `nodes`. */
  readonly nodes: readonly string[];
  /** Keys under `status`. */
  readonly status: readonly string[];
  /** Keys under `errors`. */
  readonly errors: readonly string[];
  /** Every other free name: `input`, what a Map or Loop binds, and so on. */
  readonly other: readonly string[];
  /** Of `nodes`, `status` and `errors` those used other than by a literal key, such as `size(nodes)`. */
  readonly whole: readonly string[];
}

/** Deepest nesting of `map`, `filter`, `all`, `exists`: each level multiplies the work. */
export const MAX_COMPREHENSIONS = 3;

const COMPREHENSIONS = new Set(["all", "exists", "exists_one", "filter", "map"]);

interface Walk {
  readonly found: Record<"nodes" | "status" | "errors" | "other" | "whole", Set<string>>;
  tooDeep: ASTNode | null;
}

/** Collects the names of an expression's tree, and the first comprehension nested too deep. */
export function expressionNames(ast: ASTNode): { readonly names: ExpressionNames; readonly tooDeep: ASTNode | null } {
  const found = {
    nodes: new Set<string>(),
    status: new Set<string>(),
    errors: new Set<string>(),
    other: new Set<string>(),
    whole: new Set<string>(),
  };
  const walk: Walk = { found, tooDeep: null };
  visit(ast, walk, new Set(), 0);
  const names: ExpressionNames = Object.freeze({
    nodes: [...found.nodes],
    status: [...found.status],
    errors: [...found.errors],
    other: [...found.other],
    whole: [...found.whole],
  });
  return { names, tooDeep: walk.tooDeep };
}

// The parser bounds the tree's depth, so recursion is safe here.
function visit(node: ASTNode, walk: Walk, locals: ReadonlySet<string>, depth: number): void {
  switch (node.op) {
    case "value":
      return;
    case "id":
      if (locals.has(node.args)) return;
      if (isRoot(node.args)) walk.found.whole.add(node.args);
      else walk.found.other.add(node.args);
      return;
    case ".":
    case ".?":
    case "[]":
    case "[?]":
      visitAccess(node.args, walk, locals, depth);
      return;
    case "rcall":
      visitMethod(node, walk, locals, depth);
      return;
    case "call":
      for (const argument of node.args[1]) visit(argument, walk, locals, depth);
      return;
    default:
      visitAll(node.args, walk, locals, depth);
  }
}

function visitAccess(
  [target, member]: readonly [ASTNode, string | ASTNode],
  walk: Walk,
  locals: ReadonlySet<string>,
  depth: number,
): void {
  const key = typeof member === "string" ? member : member.op === "value" ? member.args : null;
  if (target.op === "id" && isRoot(target.args) && !locals.has(target.args) && typeof key === "string") {
    walk.found[target.args].add(key);
    return;
  }
  visit(target, walk, locals, depth);
  if (typeof member !== "string") visit(member, walk, locals, depth);
}

function visitMethod(
  node: Extract<ASTNode, { op: "rcall" }>,
  walk: Walk,
  locals: ReadonlySet<string>,
  depth: number,
): void {
  const [name, receiver, parameters] = node.args;
  const [bound] = parameters;
  const isBind = name === "bind" && receiver.op === "id" && receiver.args === "cel";
  if (!isBind) visit(receiver, walk, locals, depth);
  if (!bound || bound.op !== "id" || !(isBind || (COMPREHENSIONS.has(name) && parameters.length > 1))) {
    for (const parameter of parameters) visit(parameter, walk, locals, depth);
    return;
  }
  const inside = isBind ? depth : depth + 1;
  if (inside > MAX_COMPREHENSIONS) walk.tooDeep ??= node;
  const within = new Set(locals).add(bound.args);
  for (const parameter of parameters.slice(1)) visit(parameter, walk, within, inside);
}

/** Operands of operators, elements of lists and entries of maps, nested as the parser nests them. */
function visitAll(parts: unknown, walk: Walk, locals: ReadonlySet<string>, depth: number): void {
  if (Array.isArray(parts)) { for (const part of parts) visitAll(part, walk, locals, depth); }
  else if (isNode(parts)) visit(parts, walk, locals, depth);
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === "object" && value !== null && "op" in value && "args" in value;
}

function isRoot(name: string): name is "nodes" | "status" | "errors" {
  return name === "nodes" || name === "status" || name === "errors";
}
