import type { TSchema } from "@alkdev/typebox";
import { Value } from "@alkdev/typebox/value";

/**
 * A row as it came from the table `name`, whose JSON columns hold what the schema says. Columns with a type of their own are
 * the database's to check.
 *
 * @throws Error that names the column when they do not: someone else wrote the row.
 */
export function checkedRow<Row extends { readonly id: string }>(name: string, schema: TSchema, row: Row): Row {
  const first = Value.Errors(schema, row).First();
  if (first === undefined) return row;
  throw new Error(`Cannot read row "${row.id}" of ${name}: ${first.path}: ${first.message}`);
}
