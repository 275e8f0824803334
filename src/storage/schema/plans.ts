import { sql } from "drizzle-orm";
import { pgTable, text } from "drizzle-orm/pg-core";
import { instant } from "./columns.ts";

class Plans {
  private static readonly table = pgTable("plans", {
    hash: text("hash").primaryKey(),
    plan: text("plan").notNull(),
    createdAt: instant("created_at").notNull().default(sql`now()`),
  });
}

/** Plans by content hash, as JSON text. */
export const plans: (typeof Plans)["table"] = Plans["table"];
