import { CallError } from "../call_error.ts";
import { isObject, quote } from "../json_schema_keywords.ts";

/** A parameter as far as sending it needs. */
export interface Parameter {
  /** Of the property of the input that holds it. */
  readonly property: string;
  readonly name: string;
  readonly in: "path" | "query" | "header" | "cookie";
  readonly style: string;
  readonly explode: boolean;
  /** Sent as JSON, because it is described by a `content`. */
  readonly json: boolean;
}

/** Puts path parameters into a path template. @throws {CallError} `VALIDATION_ERROR` when one would change the path's shape */
export function encodePath(template: string, parameters: readonly Parameter[], input: Values): string {
  let path = template;
  for (const parameter of parameters) {
    if (parameter.in !== "path") continue;
    const value = simple(parameter, input[parameter.property], encodeURIComponent);
    // A URL's dot segments are taken out, encoded or not: "/users/.." would reach "/". An empty one meets another route.
    if (value === "" || value === "." || value === "..") {
      throw new CallError(
        "VALIDATION_ERROR",
        `Parameter "${parameter.name}" is ${quote(value)}: wanted a path segment`,
      );
    }
    path = path.replaceAll(`{${parameter.name}}`, () => value);
  }
  return path;
}

/** The input of an operation. */
export type Values = Readonly<Record<string, unknown>>;

/** The query, without its question mark. */
export function encodeQuery(parameters: readonly Parameter[], input: Values): string {
  const query = new URLSearchParams();
  for (const parameter of parameters) {
    const value = input[parameter.property];
    if (parameter.in !== "query" || value === undefined) continue;
    for (const [name, text] of queryPairs(parameter, value)) query.append(name, text);
  }
  return query.toString();
}

const SEPARATORS: Readonly<Record<string, string>> = { spaceDelimited: " ", pipeDelimited: "|" };

function queryPairs(parameter: Parameter, value: unknown): [string, string][] {
  const { name, style, explode, json } = parameter;
  if (json) return [[name, JSON.stringify(value)]];
  if (Array.isArray(value)) {
    if (explode) return value.map((item) => [name, text(item)]);
    return [[name, value.map(text).join(SEPARATORS[style] ?? ",")]];
  }
  if (!isObject(value)) return [[name, text(value)]];
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  if (style === "deepObject") return members.flatMap(([key, member]) => deep(`${name}[${key}]`, member));
  if (explode) return members.map(([key, member]) => [key, text(member)]);
  return [[name, members.flatMap(([key, member]) => [key, text(member)]).join(",")]];
}

/** OpenAPI leaves nesting open; this is what servers that read it expect. */
function deep(name: string, value: unknown): [string, string][] {
  if (Array.isArray(value)) return value.flatMap((item) => deep(name, item));
  if (!isObject(value)) return [[name, text(value)]];
  return Object.entries(value).flatMap(([key, member]) => deep(`${name}[${key}]`, member));
}

/** Header parameters, and one `cookie` header for all cookie parameters. */
export function encodeHeaders(parameters: readonly Parameter[], input: Values): Record<string, string> {
  const headers: Record<string, string> = {};
  const cookies: string[] = [];
  for (const parameter of parameters) {
    const value = input[parameter.property];
    if (value === undefined) continue;
    if (parameter.in === "header") headers[parameter.name] = simple(parameter, value, String);
    if (parameter.in === "cookie") {
      cookies.push(`${parameter.name}=${simple(parameter, value, encodeURIComponent)}`);
    }
  }
  if (cookies.length > 0) headers["cookie"] = cookies.join("; ");
  return headers;
}

function simple(parameter: Parameter, value: unknown, encode: (text: string) => string): string {
  if (value === undefined) return "";
  if (parameter.json) return encode(JSON.stringify(value));
  if (Array.isArray(value)) return value.map((item) => encode(text(item))).join(",");
  if (!isObject(value)) return encode(text(value));
  return Object.entries(value).map(([key, member]) =>
    `${encode(key)}${parameter.explode ? "=" : ","}${encode(text(member))}`
  ).join(",");
}

function text(value: unknown): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}
