import { sql } from "drizzle-orm";
import { customType, jsonb, text } from "drizzle-orm/pg-core";

/** `timestamp with time zone` as ms since the epoch; what the database has beyond whole ms is cut off. */
export const instant: ReturnType<typeof customType<{ data: number; driverData: string }>> = customType<
  { data: number; driverData: string }
>({
  dataType: () => "timestamp with time zone",
  toDriver: (ms) => new Date(ms).toISOString(),
  fromDriver: (text) => Date.parse(text),
});

/**
 * `json`: what a client may fill with anything, `\u0000` and the order of keys included. Drizzle's own `json` parses a text twice,
 * and so turns the stored string "1" into a number. The type is a claim: a row schema checks it when it is read.
 */
export const exactJson: ReturnType<typeof customType<{ data: unknown; driverData: unknown }>> = customType<
  { data: unknown; driverData: unknown }
>({
  dataType: () => "json",
  toDriver: (value) => JSON.stringify(value),
  fromDriver: (value) => value,
});

class Columns {
  private static readonly common = {
    id: text("id").primaryKey(),
    metadata: jsonb("metadata").$type<Readonly<Record<string, unknown>>>().notNull().default({}),
    createdAt: instant("created_at").notNull().default(sql`now()`),
    updatedAt: instant("updated_at").notNull().default(sql`now()`),
  };
}

/** What every table has that is not hot (docs/decisions/0002-hot-tables.md). */
export const common: (typeof Columns)["common"] = Columns["common"];
