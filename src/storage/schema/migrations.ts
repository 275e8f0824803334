import { sql } from "drizzle-orm";
import { pgTable, text } from "drizzle-orm/pg-core";
import { instant } from "./columns.ts";

class Migrations {
  private static readonly table = pgTable("migrations", {
    name: text("name").primaryKey(),
    checksum: text("checksum").notNull(),
    appliedAt: instant("applied_at").notNull().default(sql`now()`),
  });
}

/** What `migrate()` has applied. */
export const migrations: (typeof Migrations)["table"] = Migrations["table"];
