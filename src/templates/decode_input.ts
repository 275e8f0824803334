import type { Json } from "@alkdev/flowgraph";
import { CallError, collectErrors } from "@alkdev/operations";
import type { TSchema } from "@alkdev/typebox";
import { TypeCompiler } from "@alkdev/typebox/compiler";
import { Value } from "@alkdev/typebox/value";

/** Checks a run's input and fills defaults in. */
export type InputDecoder = (input: unknown) => Json;

/**
 * Makes the decoder of a schema; its check is compiled at once. An absent input stands for `{}` where the schema is of an
 * object, else for null. The input is never changed: defaults are filled into a copy, made only when the schema has any.
 * The decoder throws CallError `VALIDATION_ERROR` with `details.errors: {path, message}[]`.
 */
export function createInputDecoder(workflow: string, schema: TSchema | null): InputDecoder {
  // Inputs come from JSON, or from results which are JSON.
  if (schema === null) return (input) => (input ?? null) as Json;
  const check = TypeCompiler.Compile(schema);
  const fills = hasDefaults(schema, new Set());
  const absent: Json = schema["type"] === "object" ? {} : null;
  return (input) => {
    const given = input === undefined ? absent : input;
    const value = fills ? Value.Default(schema, Value.Clone(given)) : given;
    if (check.Check(value)) return value as Json;
    const errors = collectErrors(schema, value);
    const [first] = errors;
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
    throw new CallError(
      "VALIDATION_ERROR",
      `Cannot start workflow "${workflow}": input${first?.path ?? ""}: ${
        first?.message ?? "does not fit its schema"
      }${more}`,
      { errors },
    );
  };
}

function hasDefaults(schema: unknown, seen: Set<object>): boolean {
  if (typeof schema !== "object" || schema === null || seen.has(schema)) return false;
  seen.add(schema);
  if (!Array.isArray(schema) && Object.hasOwn(schema, "default")) return true;
  return Object.values(schema).some((part) => hasDefaults(part, seen));
}
