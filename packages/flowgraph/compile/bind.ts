import type { Json } from "../json.ts";
import { parseReference } from "../parse_reference.ts";
import type { Bindable, PlanFunction } from "../plan.ts";
import { quote } from "../quote.ts";
import { isReference } from "../reference.ts";
import { type Place, pointer, type Problems } from "./draft.ts";
import { isSignal } from "./prop_rules.ts";

/** Deepest nesting of a value in a prop. */
export const MAX_VALUE_DEPTH = 100;

/** Where a bound value stands, and what binding gathers. */
export interface Binder {
  readonly problems: Problems;
  readonly functions: Map<string, PlanFunction>;
  readonly key: string;
  readonly place: Place;
  /** Objects being copied, to find one inside itself. */
  readonly open: Set<object>;
}

/**
 * Copies a prop's value to frozen JSON. References are kept as `{"$ref": text}`, functions become marks
 * `{"$fn": "<key>.<prop path>"}`, undefined properties disappear.
 */
export function bind(value: unknown, binder: Binder, path: readonly string[]): Bindable {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : complain(String(value), binder, path);
    case "function":
      // The results are all a template's function is given; what it makes of them is its own affair.
      return markFunction(value as PlanFunction, binder, path);
    case "object":
      return value === null ? null : bindObject(value, binder, path);
    default:
      return value === undefined ? null : complain(`a ${typeof value}`, binder, path);
  }
}

function bindObject(value: object, binder: Binder, path: readonly string[]): Bindable {
  if (isReference(value)) {
    const text = value.$ref;
    if (parseReference(text) === null) {
      binder.problems.add(
        pointer(binder.place, "props", ...path),
        "bad-reference",
        `Cannot read reference ${quote(text)}: want "nodes.<key>.<path>", "input.<path>" or "<as>.<path>"`,
        { node: binder.key },
      );
    }
    return Object.freeze({ $ref: text });
  }
  if (isSignal(value)) return markFunction(() => value.value, binder, path);
  if (path.length > MAX_VALUE_DEPTH) return complain("a value nested too deep", binder, path);
  if (binder.open.has(value)) return complain("an object that holds itself", binder, path);
  if (typeof Reflect.get(value, "$fn") === "string") {
    return complain('an object with "$fn", which is reserved', binder, path);
  }
  binder.open.add(value);
  const copy = bindParts(value, binder, path);
  binder.open.delete(value);
  return copy;
}

function bindParts(value: object, binder: Binder, path: readonly string[]): Bindable {
  if (Array.isArray(value)) {
    return freezeJson(value.map((item, i) => bind(item, binder, [...path, String(i)])));
  }
  const toJSON: unknown = Reflect.get(value, "toJSON");
  if (typeof toJSON === "function") return bind(toJSON.call(value), binder, path);
  const copy: Record<string, Bindable> = {};
  for (const name of Object.keys(value)) {
    const item: unknown = Reflect.get(value, name);
    if (item === undefined) continue;
    const bound = bind(item, binder, [...path, name]);
    // Assigning `__proto__` would set the prototype instead of a property.
    if (name === "__proto__") Object.defineProperty(copy, name, { value: bound, enumerable: true });
    else copy[name] = bound;
  }
  return freezeJson(copy);
}

/** Marks a function, and keeps it under its mark. */
export function markFunction(fn: PlanFunction, binder: Binder, path: readonly string[]): { readonly $fn: string } {
  const mark = `${binder.key}.${path.join(".")}`;
  binder.functions.set(mark, fn);
  return Object.freeze({ $fn: mark });
}

// A FunctionMark is itself of the shape of JSON, so what holds marks is JSON as well.
function freezeJson(value: readonly Bindable[] | Record<string, Bindable>): Bindable {
  return Object.freeze(value) as Json;
}

function complain(what: string, binder: Binder, path: readonly string[]): null {
  binder.problems.add(
    pointer(binder.place, "props", ...path),
    "wrong-type",
    `"${path.join(".")}" must be JSON, a reference or a function, not ${what}`,
    { node: binder.key },
  );
  return null;
}
