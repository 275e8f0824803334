import { compileExpression, parseReference, resolveReference } from "@alkdev/flowgraph";
import { CallError } from "@alkdev/operations";

/** What a delivery is made of; names of headers are lower-case. */
export interface DeliveryScope {
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

const ROOTS: ReadonlySet<string> = new Set(["body", "headers", "query"]);

/** A copy of `template` with what `{"$ref": …}` and `{"$cel": …}` stand for in their place. @throws {CallError} `VALIDATION_ERROR` */
export function mapValue(template: unknown, scope: DeliveryScope): unknown {
  if (typeof template !== "object" || template === null) return template;
  if (Array.isArray(template)) return template.map((item) => mapValue(item, scope));
  const marked = markOf(template);
  if (marked?.mark === "$ref") return resolveReference(marked.text, scope);
  if (marked?.mark === "$cel") return evaluate(marked.text, scope, "input");
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, mapValue(value, scope)]));
}

/** Whether a filter holds. @throws {CallError} `VALIDATION_ERROR` */
export function holds(filter: string, scope: DeliveryScope): boolean {
  return evaluate(filter, scope, "filter") === true;
}

/** Refuses what could never be mapped. @throws {CallError} `VALIDATION_ERROR` naming the place */
export function checkMapping(template: unknown, path: string): void {
  if (typeof template !== "object" || template === null) return;
  const marked = Array.isArray(template) ? null : markOf(template);
  if (marked?.mark === "$ref") return checkReference(marked.text, `${path}/$ref`);
  if (marked?.mark === "$cel") return checkExpression(marked.text, `${path}/$cel`);
  for (const [key, value] of Object.entries(template)) checkMapping(value, `${path}/${key}`);
}

/** @throws {CallError} `VALIDATION_ERROR` */
export function checkReference(text: string, path: string): void {
  const root = parseReference(text)?.root;
  if (root === undefined || !ROOTS.has(root)) {
    throw invalid(path, `is "${text}": wanted a reference that starts with body, headers or query`);
  }
}

/** @throws {CallError} `VALIDATION_ERROR` */
export function checkExpression(source: string, path: string): void {
  try {
    compileExpression(source);
  } catch (error) {
    throw invalid(path, `is not CEL: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function markOf(value: object): { readonly mark: "$ref" | "$cel"; readonly text: string } | null {
  const [entry, ...more] = Object.entries(value);
  if (entry === undefined || more.length > 0) return null;
  const [mark, text] = entry;
  return (mark === "$ref" || mark === "$cel") && typeof text === "string" ? { mark, text } : null;
}

function evaluate(source: string, scope: DeliveryScope, field: string): unknown {
  try {
    return compileExpression(source).evaluate({ ...scope });
  } catch (error) {
    throw invalid(`/${field}`, `cannot be evaluated: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function invalid(path: string, message: string): CallError {
  return new CallError("VALIDATION_ERROR", `Field "${path.slice(1)}" ${message}`, { errors: [{ path, message }] });
}
