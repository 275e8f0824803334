import type { SchemaAdapter } from "../schema_adapter.ts";
import { loadingAdapter } from "./standard_adapter.ts";

/**
 * Reads schemas of Zod 4. From 4.2 on they say themselves as JSON Schema; for those of 4.0 and 4.1 await `init()`, which
 * loads `zod`. See {@linkcode standardAdapter} for what becomes of defaults and transformations.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { zodAdapter } from "@alkdev/operations/from-typemap";
 * import { z } from "zod";
 *
 * const schema = zodAdapter().toTypeBox(z.object({ name: z.string() }));
 * assert.deepEqual(schema["required"], ["name"]);
 * ```
 */
export function zodAdapter(): SchemaAdapter {
  return loadingAdapter("zod", "zod", async () => {
    const { toJSONSchema } = await import("zod");
    // The vendor's name has said that it is one of Zod's.
    return (schema) => toJSONSchema(schema as Parameters<typeof toJSONSchema>[0], { io: "input" });
  });
}
