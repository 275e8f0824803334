import type { TSchema } from "@alkdev/typebox";
import { Value } from "@alkdev/typebox/value";

/** What is wrong with one field. */
export interface SchemaIssue {
  /** Dotted path, empty for the value itself. */
  readonly field: string;
  readonly message: string;
  readonly value: unknown;
}

/** The first thing wrong with each field of a value. */
export function schemaIssues(schema: TSchema, value: unknown): SchemaIssue[] {
  const issues = new Map<string, SchemaIssue>();
  for (const error of Value.Errors(schema, value)) {
    const field = error.path.slice(1).replaceAll("/", ".");
    if (issues.has(field)) continue;
    const message = `${capitalize(field || "value")} is ${quote(error.value)}: wanted ${wanted(error.schema)}`;
    issues.set(field, { field, message, value: error.value });
  }
  return [...issues.values()];
}

function wanted(schema: TSchema): string {
  const options: unknown = schema["anyOf"];
  if (Array.isArray(options)) return options.map(wanted).join(", ");
  if ("const" in schema) return JSON.stringify(schema["const"]);
  if (schema["type"] === "string" && schema["minLength"] === 1) return "text that is not empty";
  if (schema["type"] === "array") return "a list";
  const { minimum, maximum } = schema;
  if (typeof minimum === "number" && typeof maximum === "number") return `a number from ${minimum} to ${maximum}`;
  return typeof schema["type"] === "string" ? schema["type"] : "something else";
}

function quote(value: unknown): string {
  if (value === undefined) return "missing";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
