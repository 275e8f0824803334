import type { TSchema } from "@alkdev/typebox";
import { FromSchema } from "./from_schema.ts";
import { isTypeBoxSchema } from "./schema_kind.ts";
import { assertIsSchema } from "./validation.ts";

/** Turns the schemas of another library into TypeBox. */
export interface SchemaAdapter {
  /** @throws {CallError} `VALIDATION_ERROR` when the schema cannot be represented */
  toTypeBox(schema: unknown): TSchema;
  /** Loads the other library, where that is asynchronous. */
  init?(): Promise<void>;
}

/** Passes TypeBox through and reads plain JSON Schema, which is what TypeBox becomes on a wire; refuses anything else. */
export const defaultAdapter: SchemaAdapter = {
  toTypeBox(schema: unknown): TSchema {
    if (!isTypeBoxSchema(schema)) return FromSchema(schema);
    assertIsSchema(schema);
    return schema;
  },
};
