import { KindGuard, type TSchema, TypeGuard } from "@alkdev/typebox";
import { type TypeCheck, TypeCompiler, type ValueError, ValueErrorType } from "@alkdev/typebox/compiler";
import "./formats.ts";
import { CallError } from "./call_error.ts";
import { linearProblem } from "./linear_schemas.ts";

/** One thing wrong with a value. `path` is a JSON pointer, empty for the value itself. */
export interface ValidationIssue {
  readonly path: string;
  readonly message: string;
}

/** A wildly wrong value must not make a megabyte of errors. */
const MAX_ISSUES = 32;
const MAX_QUOTED = 80;

const compiled = new WeakMap<TSchema, TypeCheck<TSchema>>();

/** The compiled check of a schema, made once per schema object. */
export function compileCheck(schema: TSchema): TypeCheck<TSchema> {
  let check = compiled.get(schema);
  if (check === undefined) {
    check = TypeCompiler.Compile(schema);
    compiled.set(schema, check);
  }
  return check;
}

/** Everything wrong with `value`, at most 32 issues; empty when it fits. */
export function collectErrors(schema: TSchema, value: unknown): ValidationIssue[] {
  const check = compileCheck(schema);
  return check.Check(value) ? [] : toIssues(check.Errors(value));
}

/** One line per error: `  - /path: message`. */
export function formatValueErrors(errors: Iterable<ValidationIssue>, indent = "  - "): string {
  const lines: string[] = [];
  for (const { path, message } of errors) lines.push(`${indent}${path === "" ? "/" : path}: ${message}`);
  return lines.join("\n");
}

/**
 * Throws unless `value` fits. The published helper throws a plain `Error`, which would surface as `EXECUTION_ERROR`; its
 * documents promise `VALIDATION_ERROR`, so that is what this one throws.
 *
 * @param context what the value is, as it starts the message: `Input of operation "core.echo"`
 * @throws {CallError} `VALIDATION_ERROR`, with `details: { errors: { path, message }[] }`
 */
export function validateOrThrow(schema: TSchema, value: unknown, context = "Value"): void {
  const check = compileCheck(schema);
  if (check.Check(value)) return;
  const errors = toIssues(check.Errors(value));
  throw new CallError("VALIDATION_ERROR", `${context} is not valid:\n${formatValueErrors(errors)}`, { errors });
}

/**
 * Throws unless `schema` is a TypeBox schema all the way down.
 *
 * @throws {CallError} `VALIDATION_ERROR`
 */
export function assertIsSchema(schema: unknown, context = "Schema"): asserts schema is TSchema {
  if (TypeGuard.IsSchema(schema)) return;
  throw new CallError("VALIDATION_ERROR", `${context} is not a TypeBox schema: it is ${describe(schema)}`);
}

function toIssues(errors: Iterable<ValueError>): ValidationIssue[] {
  const issues: ValidationIssue[] = [];
  const missing = new Set<string>();
  for (const error of errors) {
    // TypeBox reports an absent property twice: as missing, then as undefined of the wrong type.
    if (missing.has(error.path)) continue;
    if (error.type === ValueErrorType.ObjectRequiredProperty) missing.add(error.path);
    issues.push({ path: error.path, message: describeError(error) });
    if (issues.length === MAX_ISSUES) break;
  }
  return issues;
}

function describeError(error: ValueError): string {
  if (error.type === ValueErrorType.ObjectRequiredProperty) {
    return `is missing: wanted ${describeWanted(error.schema) ?? "a value"}`;
  }
  if (error.type === ValueErrorType.ObjectAdditionalProperties) return "is not a known property";
  const linear = linearProblem(error.schema, error.value);
  if (linear !== undefined) return `is ${describe(error.value)}: ${linear}`;
  const wanted = describeWanted(error.schema);
  const expected = wanted !== undefined && error.type === ValueErrorType.Union
    ? `wanted ${wanted}`
    : error.message.replace(/^Expected /, "wanted ");
  return `is ${describe(error.value)}: ${expected}`;
}

function describeWanted(schema: TSchema): string | undefined {
  if (KindGuard.IsUnion(schema)) {
    const options = schema.anyOf.map(describeWanted);
    return options.includes(undefined) ? undefined : `one of ${options.join(", ")}`;
  }
  if (KindGuard.IsLiteral(schema)) return JSON.stringify(schema.const);
  return typeof schema.type === "string" ? schema.type : undefined;
}

/** Quotes primitives only: an object may hold secrets beside the field that is wrong. */
function describe(value: unknown): string {
  if (typeof value === "string") {
    return value.length > MAX_QUOTED ? `${JSON.stringify(value.slice(0, MAX_QUOTED))}…` : JSON.stringify(value);
  }
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "function") return "a function";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
