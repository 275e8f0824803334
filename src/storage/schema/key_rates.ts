import { bigint, integer, pgTable, primaryKey, text } from "drizzle-orm/pg-core";

class KeyRates {
  private static readonly table = pgTable("key_rates", {
    keyId: text("key_id").notNull(),
    kind: text("kind").notNull(),
    minute: bigint("minute", { mode: "number" }).notNull(),
    used: integer("used").notNull(),
    granted: integer("granted").notNull(),
  }, (t) => [primaryKey({ columns: [t.keyId, t.kind] })]);
}

/** What keys have used of their limits in the current minute. */
export const keyRates: (typeof KeyRates)["table"] = KeyRates["table"];
