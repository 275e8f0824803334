import { linearPattern, PatternError } from "@alkdev/operations";
import type { ASTNode } from "@marcbachmann/cel-js";
import { type Budget, countItems } from "./budget.ts";

/**
 * Makes everything in a checked expression whose cost grows with its data spend from a budget first, and `matches` take linear
 * time. The library has no hook for it: this wraps the handler that its checker gives to each node, and throws where it finds
 * none, so that another release of the library cannot leave an expression unbounded.
 *
 * @throws TypeError when the library's nodes are not what they were
 */
export function boundWork(ast: ASTNode, budget: Budget): void {
  weigh(ast, budget);
}

type Handler = (...parts: unknown[]) => unknown;

/** Operators that look at both sides whole. Those that are short of it (`<`) count the same. */
const COMPARING: readonly string[] = ["==", "!=", "<", "<=", ">", ">="];

/** The library looks up a time zone each time that it is named: some 50 us. */
const TIME_ZONE_STEPS = 1_000;

/** Bounds a node and what is in it; gives how many nodes one evaluation of it visits, without the turns of comprehensions. */
function weigh(node: ASTNode, budget: Budget): number {
  const weights = partsOf(node.args).map((part) => weigh(part, budget));
  const weight = weights.reduce((sum, one) => sum + one, 1);
  const alternate = metaOf(node, "alternate");
  if (isComprehension(alternate)) {
    // The list is looked at once, the rest for each of its items: the turn spends it all, before it begins.
    const perItem = weight + 1;
    wrap(alternate, (handle, [items, ...rest]) => {
      if (typeof items === "object" && items !== null) budget.spend(1 + perItem * countItems(items));
      return handle(items, ...rest);
    });
  } else if (node.op === "rcall" || node.op === "call") {
    if (metaOf(node, "macro") === undefined) boundCall(node, budget);
  } else if (COMPARING.includes(node.op)) {
    wrap(node, (handle, parts) => {
      const [left, right] = parts;
      if (!isScalar(left) && !isScalar(right)) budget.spendOn(left);
      return handle(...parts);
    });
  } else if (node.op === "in") {
    wrap(node, (handle, parts) => {
      const [item, list] = parts;
      const times = typeof list === "object" && list !== null && (Array.isArray(list) || list instanceof Set)
        ? countItems(list)
        : 1;
      budget.spend(times);
      if (!isScalar(item)) { for (let i = 0; i < times; i++) budget.spendOn(item); }
      return handle(...parts);
    });
  } else if (node.op === "+") {
    wrap(node, (handle, parts) => {
      // A list is copied: it must fit before.
      for (const part of parts.slice(0, 2)) if (typeof part === "object") budget.spendOnLength(part);
      const sum = handle(...parts);
      if (typeof sum === "string") budget.spendOnLength(sum);
      return sum;
    });
  }
  return weight;
}

function boundCall(node: ASTNode, budget: Budget): void {
  const matches = node.op === "rcall" && node.args[0] === "matches";
  wrap(node, (handle, parts) => {
    const values: readonly unknown[] = Array.isArray(parts[0]) ? parts[0] : [];
    for (const value of values) budget.spendOnLength(value);
    const [first, second] = values;
    if (matches && typeof first === "string" && typeof second === "string") return match(first, second, budget);
    if (first instanceof Date && second !== undefined) budget.spend(TIME_ZONE_STEPS);
    const result = handle(...parts);
    budget.spendOnLength(result);
    return result;
  });
}

function match(text: string, source: string, budget: Budget): boolean {
  // Reading a pattern costs more than matching most.
  budget.spend(8 * source.length);
  let pattern;
  try {
    pattern = linearPattern(source);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new Error(`Invalid regular expression ${JSON.stringify(source)}: ${error.message}`, { cause: error });
  }
  if (text.length > pattern.longest) {
    throw new Error(`Text of ${text.length} characters is too long for the pattern: the most is ${pattern.longest}`);
  }
  budget.spend(Math.ceil(text.length * pattern.cost));
  return pattern.test(text);
}

/** Elements of operators, lists, maps and calls, in whatever the parser nests them. */
function partsOf(args: unknown): ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(partsOf);
  return isNode(args) ? [args] : [];
}

function wrap(node: ASTNode, around: (handle: Handler, parts: unknown[]) => unknown): void {
  const handle: unknown = Reflect.get(node, "handle");
  if (typeof handle !== "function") throw new TypeError(`Cannot bound "${node.op}": its node has no handler`);
  Reflect.set(node, "handle", (...parts: unknown[]) => around((...again) => handle(...again), parts));
}

function metaOf(node: ASTNode, name: string): unknown {
  const meta: unknown = Reflect.get(node, "meta");
  if (typeof meta !== "object" || meta === null) {
    throw new TypeError(`Cannot bound "${node.op}": its node says nothing`);
  }
  return Reflect.get(meta, name);
}

function isComprehension(value: unknown): value is ASTNode {
  return isNode(value) && String(value.op) === "comprehension";
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === "object" && value !== null && "op" in value && "args" in value;
}

function isScalar(value: unknown): boolean {
  return typeof value !== "string" && (typeof value !== "object" || value === null);
}
