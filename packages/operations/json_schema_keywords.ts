import { type SchemaOptions, type TSchema, Type } from "@alkdev/typebox";
import { CallError } from "./call_error.ts";
import { isKnownFormat } from "./formats.ts";

/** A JSON Schema that is not a boolean. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Keyword -> whether a value is one that the keyword takes. */
export type Keywords = Readonly<Record<string, (value: unknown) => boolean>>;

const ANNOTATIONS = ["title", "description", "deprecated", "readOnly", "writeOnly", "default", "examples", "$comment"];
export const STRING_KEYWORDS: Keywords = { minLength: isCount, maxLength: isCount, pattern: isPattern };
export const NUMBER_KEYWORDS: Keywords = {
  minimum: isFinite,
  maximum: isFinite,
  exclusiveMinimum: isFinite,
  exclusiveMaximum: isFinite,
  multipleOf: isPositive,
};
export const ARRAY_KEYWORDS: Keywords = { minItems: isCount, maxItems: isCount, uniqueItems: isBoolean };
export const OBJECT_KEYWORDS: Keywords = { minProperties: isCount, maxProperties: isCount };
/** A schema for exactly this JSON value. */
export function literal(value: unknown, place: string): TSchema {
  if (typeof value === "string" || typeof value === "boolean") return Type.Literal(value);
  if (typeof value === "number" && Number.isFinite(value)) return Type.Literal(value);
  if (value === null) return Type.Null();
  if (Array.isArray(value)) return Type.Tuple(value.map((member, index) => literal(member, `${place}/${index}`)));
  if (!isObject(value)) throw broken(place, `is ${quote(value)}: wanted a JSON value`);
  const members = Object.entries(value).map(([name, member]) => [name, literal(member, `${place}/${escape(name)}`)]);
  return Type.Object(Object.fromEntries(members), { additionalProperties: false });
}

/** What a schema says to people. */
export function annotations(schema: JsonObject): SchemaOptions {
  const found = Object.entries(schema).filter(([key]) => ANNOTATIONS.includes(key) || key.startsWith("x-"));
  return Object.fromEntries(found);
}

/** The known keywords of a schema. @throws {CallError} when one has a value that it does not take */
export function keywords(
  schema: JsonObject,
  known: Keywords,
  place: string,
): SchemaOptions {
  const found: Record<string, unknown> = {};
  for (const [keyword, isValid] of Object.entries(known)) {
    const value = schema[keyword];
    if (value === undefined) continue;
    if (!isValid(value)) throw broken(`${place}/${keyword}`, `is ${quote(value)}, which this keyword does not take`);
    found[keyword] = value;
  }
  return found;
}

/** @throws {CallError} when it is no string */
export function format(schema: JsonObject, place: string): SchemaOptions {
  const name = schema["format"];
  if (name === undefined) return {};
  if (typeof name !== "string") throw broken(`${place}/format`, `is ${quote(name)}: wanted a string`);
  return isKnownFormat(name) ? { format: name } : { "x-format": name };
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0;
}

function isFinite(value: unknown): boolean {
  return Number.isFinite(value);
}

function isPositive(value: unknown): boolean {
  return Number.isFinite(value) && Number(value) > 0;
}

function isBoolean(value: unknown): boolean {
  return typeof value === "boolean";
}

export function isPattern(value: unknown): boolean {
  if (typeof value !== "string" || hasControlCharacters(value)) return false;
  try {
    return new RegExp(value, "u") !== undefined;
  } catch {
    return false;
  }
}

/** TypeBox compiles no schema with these in a property's name or a pattern. */
export function hasControlCharacters(text: string): boolean {
  // deno-lint-ignore no-control-regex -- they are what it looks for
  return /[\x07-\x0d\x1b\x7f]/.test(text);
}

export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** As a token of a JSON pointer. */
export function escape(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

export function broken(place: string, problem: string): CallError {
  return new CallError("VALIDATION_ERROR", `JSON Schema is not valid at "${place}": it ${problem}`, {
    errors: [{ path: place, message: `It ${problem}` }],
  });
}
