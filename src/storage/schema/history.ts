import { sql } from "drizzle-orm";
import { pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { instant } from "./columns.ts";

class History {
  private static readonly table = pgTable("history", {
    orgId: text("org_id").notNull(),
    kind: text("kind", { enum: ["operation", "workflow", "branch", "count", "wait"] }).notNull(),
    name: text("name").notNull(),
    stats: text("stats").notNull(),
    updatedAt: instant("updated_at").notNull().default(sql`now()`),
  }, (t) => [primaryKey({ columns: [t.orgId, t.kind, t.name] })]);
}

/** What operations, workflows and choices have done so far. `stats` is read by `src/sight` alone. */
export const history: (typeof History)["table"] = History["table"];
