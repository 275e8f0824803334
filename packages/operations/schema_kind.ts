import { Kind, type TSchema } from "@alkdev/typebox";

/** Whether the outermost schema carries TypeBox's symbol, which JSON cannot. */
export function isTypeBoxSchema(schema: unknown): schema is TSchema {
  return typeof schema === "object" && schema !== null && Kind in schema;
}
