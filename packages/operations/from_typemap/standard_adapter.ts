import type { TSchema } from "@alkdev/typebox";
import { CallError } from "../call_error.ts";
import { FromSchema } from "../from_schema.ts";
import { defaultAdapter, type SchemaAdapter } from "../schema_adapter.ts";
import { isStandardJSONSchema, schemaVendor } from "./standard_json_schema.ts";

/**
 * Reads schemas of any library that has Standard JSON Schema, as what they take in: a field with a default is optional, and
 * of a transformation the type before it counts. TypeBox and plain JSON Schema pass as with {@linkcode defaultAdapter}.
 */
export function standardAdapter(): SchemaAdapter {
  return { toTypeBox: (schema) => convert(schema, undefined) };
}

/** What makes JSON Schema of a library's schema that cannot do it itself. */
export type ToJSONSchema = (schema: unknown) => unknown;

/** {@linkcode standardAdapter} with a library loaded by `init`, for its schemas that do not say themselves as JSON Schema. */
export function loadingAdapter(vendor: string, peer: string, load: () => Promise<ToJSONSchema>): SchemaAdapter {
  let toJSONSchema: ToJSONSchema | undefined;
  return {
    async init(): Promise<void> {
      toJSONSchema ??= await load();
    },
    toTypeBox(schema): TSchema {
      if (schemaVendor(schema) !== vendor || isStandardJSONSchema(schema)) return convert(schema, undefined);
      if (toJSONSchema !== undefined) return convert(schema, toJSONSchema);
      throw new CallError(
        "VALIDATION_ERROR",
        `A schema of ${vendor} needs "${peer}": await the adapter's init() first`,
      );
    },
  };
}

function convert(schema: unknown, toJSONSchema: ToJSONSchema | undefined): TSchema {
  const vendor = schemaVendor(schema);
  if (vendor === undefined) return defaultAdapter.toTypeBox(schema);
  const json = inLibrary(vendor, () => {
    if (toJSONSchema !== undefined) return toJSONSchema(schema);
    if (isStandardJSONSchema(schema)) return schema["~standard"].jsonSchema.input({ target: "draft-2020-12" });
    throw new Error("its version has no Standard JSON Schema");
  });
  // A library's schemas are made in code, and their own patterns for e-mail and the like have look-around.
  return FromSchema(json, { patterns: "native" });
}

function inLibrary(vendor: string, toJSONSchema: () => unknown): unknown {
  try {
    return toJSONSchema();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CallError(
      "VALIDATION_ERROR",
      `A schema of ${vendor} cannot be said in JSON Schema: ${reason}`,
      undefined,
      {
        cause: error,
      },
    );
  }
}
