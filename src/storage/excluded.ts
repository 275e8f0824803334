import { type SQL, sql } from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";

/** In `on conflict do update`: what the insert would have put into these columns. */
export function excluded<Name extends string>(
  columns: Readonly<Record<Name, PgColumn>>,
): { readonly [K in Name]: SQL } {
  const entries = Object.entries<PgColumn>(columns);
  return Object.fromEntries(
    entries.map(([key, { name }]) => [key, sql`excluded.${sql.identifier(name)}`]),
  ) as { [K in Name]: SQL }; // one entry for each key of `columns`
}
