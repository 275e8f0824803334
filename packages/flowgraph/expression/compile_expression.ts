import { Environment, Optional } from "@marcbachmann/cel-js";
import { boundWork } from "./bound_work.ts";
import { Budget } from "./budget.ts";
import { ExpressionError } from "./expression_error.ts";
import { type ExpressionNames, expressionNames, MAX_COMPREHENSIONS } from "./expression_names.ts";

/** A CEL expression, read. */
export interface Expression {
  readonly source: string;
  readonly names: ExpressionNames;
  /**
   * Evaluates over `{nodes, status, errors, input, …}`. JSON numbers compare and calculate with int and double literals
   * alike; integers come back as numbers when they are safe, else as BigInt. A key that the expression names under `nodes`,
   * `status` or `errors` and the scope has not is null.
   *
   * @throws ExpressionError for what cannot be evaluated, such as a property of null, and for what takes too many steps
   * (`MAX_STEPS`): items of long lists, characters of long texts.
   */
  readonly evaluate: (scope: Readonly<Record<string, unknown>>) => unknown;
}

/** Longest source of one expression, in UTF-16 units. */
export const MAX_EXPRESSION_LENGTH = 4096;

const ROOTS = ["nodes", "status", "errors"] as const;
const CACHE_SIZE = 2000;
const cache = new Map<string, Expression>();
const environment = createEnvironment();
const budget = new Budget();

/**
 * Reads a CEL expression. The 2,000 last read are kept.
 *
 * @throws ExpressionError with the position when the syntax, a function or a type is wrong, or a limit is passed.
 */
export function compileExpression(source: string): Expression {
  const known = cache.get(source);
  if (known) return known;
  const expression = read(source);
  if (cache.size >= CACHE_SIZE) {
    for (const oldest of cache.keys()) {
      cache.delete(oldest);
      break;
    }
  }
  cache.set(source, expression);
  return expression;
}

function read(source: string): Expression {
  if (source.length > MAX_EXPRESSION_LENGTH) {
    const start = source.slice(0, 40) + "...";
    throw new ExpressionError(start, `it is ${source.length} characters long, the most is ${MAX_EXPRESSION_LENGTH}`, 0);
  }
  try {
    const parsed = environment.parse(source);
    const { names, tooDeep } = expressionNames(parsed.ast);
    if (tooDeep) {
      const reason = `more than ${MAX_COMPREHENSIONS} nested map, filter, all or exists`;
      throw new ExpressionError(source, reason, tooDeep.start);
    }
    const checked = parsed.check();
    if (!checked.valid && checked.error) throw checked.error;
    boundWork(parsed.ast, budget);
    const expression: Expression = { source, names, evaluate: (scope) => evaluate(source, parsed, names, scope) };
    return Object.freeze(expression);
  } catch (error) {
    if (error instanceof ExpressionError) throw error;
    throw new ExpressionError(source, reasonOf(error), positionOf(error) ?? 0, { cause: error });
  }
}

function evaluate(
  source: string,
  parsed: (scope: Record<string, unknown>) => unknown,
  names: ExpressionNames,
  scope: Readonly<Record<string, unknown>>,
): unknown {
  budget.start();
  try {
    const value = parsed(withNulls(scope, names));
    if (budget.spent !== null) throw new Error(budget.spent);
    return toJson(value);
  } catch (error) {
    throw new ExpressionError(source, budget.spent ?? reasonOf(error), null, { cause: error });
  }
}

/** The scope with null under every key that the expression names and the scope has not. */
function withNulls(scope: Readonly<Record<string, unknown>>, names: ExpressionNames): Record<string, unknown> {
  let filled: Record<string, unknown> = scope;
  for (const root of ROOTS) {
    const held = scope[root];
    const record: object = typeof held === "object" && held !== null ? held : {};
    if (names[root].every((key) => Object.hasOwn(record, key))) continue;
    const copy: Record<string, unknown> = { ...record };
    for (const key of names[root]) if (!Object.hasOwn(record, key)) copy[key] = null;
    filled = { ...filled, [root]: copy };
  }
  return filled;
}

/** What a value holds many times over is written out each time, so this spends too. */
function toJson(value: unknown): unknown {
  budget.spendOnLength(value);
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), toJson(item)]));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return instanceToJson(value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]));
}

/** As protobuf's JSON has them: bytes in base64, a uint as a number, a duration as "3600s"; an absent optional is null. */
function instanceToJson(value: object): unknown {
  if (value instanceof Uint8Array) return btoa(Array.from(value, (byte) => String.fromCharCode(byte)).join(""));
  if (value instanceof Optional) return toJson(value.orValue(null));
  const primitive: unknown = value.valueOf();
  return typeof primitive === "bigint" ? toJson(primitive) : String(value);
}

/** CEL keeps int and double apart; JSON has one number, which CEL takes for a double. */
function createEnvironment(): Environment {
  const made = new Environment({
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    limits: { maxAstNodes: 1000, maxDepth: 64 },
  });
  const operators: readonly (readonly [string, (left: number, right: number) => number])[] = [
    ["+", (left, right) => left + right],
    ["-", (left, right) => left - right],
    ["*", (left, right) => left * right],
    ["/", (left, right) => left / right],
    ["%", (left, right) => left % right],
  ];
  for (const [operator, calculate] of operators) {
    const handler = (left: unknown, right: unknown): number => calculate(Number(left), Number(right));
    made.registerOperator(`int ${operator} double`, handler);
    made.registerOperator(`double ${operator} int`, handler);
  }
  made.registerOperator("double % double", (left: number, right: number) => left % right);
  return made;
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && "summary" in error && typeof error.summary === "string") return error.summary;
  return error instanceof Error ? error.message : String(error);
}

function positionOf(error: unknown): number | null {
  if (typeof error !== "object" || error === null || !("range" in error)) return null;
  const { range } = error;
  return typeof range === "object" && range !== null && "start" in range && typeof range.start === "number"
    ? range.start
    : null;
}
