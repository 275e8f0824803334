import type { SchemaAdapter } from "../schema_adapter.ts";
import { loadingAdapter } from "./standard_adapter.ts";

/**
 * Reads schemas of Valibot. Await `init()` first, which loads `@valibot/to-json-schema`. See {@linkcode standardAdapter} for
 * what becomes of defaults and transformations.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { valibotAdapter } from "@alkdev/operations/from-typemap";
 * import * as v from "valibot";
 *
 * const adapter = valibotAdapter();
 * await adapter.init?.(); // loads @valibot/to-json-schema
 * const schema = adapter.toTypeBox(v.object({ name: v.string() }));
 * assert.deepEqual(schema["required"], ["name"]);
 * ```
 */
export function valibotAdapter(): SchemaAdapter {
  return loadingAdapter("valibot", "@valibot/to-json-schema", async () => {
    const { toJsonSchema } = await import("@valibot/to-json-schema");
    // The vendor's name has said that it is one of Valibot's.
    return (schema) => toJsonSchema(schema as Parameters<typeof toJsonSchema>[0], { typeMode: "input" });
  });
}
