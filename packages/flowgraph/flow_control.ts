import { type Duration, parseDuration } from "./duration.ts";
import { compileExpression } from "./expression/compile_expression.ts";
import { parseReference } from "./parse_reference.ts";
import type { Reference } from "./plan.ts";
import { isReference } from "./reference.ts";

/** What tells runs apart: a reference to `input`, or CEL over `input`. Each value has a line of its own. */
export type FlowKey = string | Reference;

/** When runs of a workflow may start. Data, not code: it is part of the workflow's version. */
export interface FlowControl {
  /** Most runs at once, by key. */
  readonly concurrency?: { readonly limit: number; readonly key?: FlowKey };
  /** Most starts in any span of `per`, by key. */
  readonly rate?: { readonly limit: number; readonly per: Duration; readonly key?: FlowKey };
  /** Starts that follow each other within `per` make one run, with the last one's input, at the latest after `max`. */
  readonly debounce?: { readonly per: Duration; readonly key?: FlowKey; readonly max?: Duration };
  /**
   * What a start does when `concurrency` is used up: wait in line (`"queue"`, the default), take the place of the run that
   * waits (`"replace"`), or fail (`"reject"`).
   */
  readonly onConflict?: "queue" | "replace" | "reject";
}

const MAX_LIMIT = 1_000_000;
const MAX_PER_MS = 366 * 86_400_000;

type Problem = { readonly path: string; readonly message: string };
type Fields = Readonly<Record<string, (value: unknown) => string | null>>;

/** What is wrong with a {@linkcode FlowControl} that came from anywhere; nothing when it is one. `path` as in `/rate/per`. */
export function flowControlProblems(value: unknown): readonly Problem[] {
  if (!isObject(value)) return [{ path: "", message: `"flow" must be an object, it is ${quote(value)}` }];
  const problems = unknownFields("", value, ["concurrency", "rate", "debounce", "onConflict"]);
  const parts: Readonly<Record<string, Fields>> = {
    concurrency: { limit, key: optional(key) },
    rate: { limit, per: duration, key: optional(key) },
    debounce: { per: duration, key: optional(key), max: optional(duration) },
  };
  for (const [name, fields] of Object.entries(parts)) {
    const part = value[name];
    if (part !== undefined) problems.push(...partProblems(name, part, fields));
  }
  const { onConflict } = value;
  if (onConflict === undefined) return problems;
  if (typeof onConflict !== "string" || !["queue", "replace", "reject"].includes(onConflict)) {
    const message = `"onConflict" must be "queue", "replace" or "reject", it is ${quote(onConflict)}`;
    problems.push({ path: "/onConflict", message });
  } else if (value["concurrency"] === undefined) {
    problems.push({ path: "/onConflict", message: `"onConflict" needs "concurrency" beside it` });
  }
  return problems;
}

function partProblems(name: string, part: unknown, fields: Fields): Problem[] {
  if (!isObject(part)) return [{ path: `/${name}`, message: `"${name}" must be an object, it is ${quote(part)}` }];
  const problems = unknownFields(`/${name}`, part, Object.keys(fields));
  for (const [field, check] of Object.entries(fields)) {
    const wanted = check(part[field]);
    if (wanted === null) continue;
    const message = `"${name}.${field}" must be ${wanted}, it is ${quote(part[field])}`;
    problems.push({ path: `/${name}/${field}`, message });
  }
  return problems;
}

function unknownFields(path: string, value: object, known: readonly string[]): Problem[] {
  return Object.keys(value).filter((field) => !known.includes(field)).map((field) => ({
    path: `${path}/${field}`,
    message: `"flow${path.replaceAll("/", ".")}" has no field "${field}": wanted one of ${known.join(", ")}`,
  }));
}

function optional(check: (value: unknown) => string | null): (value: unknown) => string | null {
  return (value) => value === undefined ? null : check(value);
}

function limit(value: unknown): string | null {
  const isOne = typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_LIMIT;
  return isOne ? null : `an integer from 1 to ${MAX_LIMIT}`;
}

function duration(value: unknown): string | null {
  const ms = parseDuration(value);
  return ms !== null && ms >= 1 && ms <= MAX_PER_MS ? null : `a duration of 1 ms to 366 d, such as "1m"`;
}

function key(value: unknown): string | null {
  if (isReference(value)) {
    const parsed = parseReference(value.$ref);
    return parsed?.root === "input" ? null : `a reference to "input"`;
  }
  if (typeof value !== "string") return `CEL over "input", or a reference to it`;
  try {
    const { names } = compileExpression(value);
    const isOfInput = [...names.other, ...names.whole].every((name) => name === "input") &&
      names.nodes.length + names.status.length + names.errors.length === 0;
    return isOfInput ? null : `CEL over "input" alone`;
  } catch (error) {
    return `CEL over "input" (${error instanceof Error ? error.message : String(error)})`;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function quote(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 80);
}
