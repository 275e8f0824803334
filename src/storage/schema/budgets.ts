import { sql } from "drizzle-orm";
import { bigint, index, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { instant } from "./columns.ts";

const amount = (name: string) => bigint(name, { mode: "number" });

class Budgets {
  private static readonly table = pgTable("budgets", {
    orgId: text("org_id").notNull(),
    kind: text("kind", { enum: ["run", "key", "org", "session", "minute"] }).notNull(),
    id: text("id").notNull(),
    createdAt: instant("created_at").notNull().default(sql`date_trunc('milliseconds', clock_timestamp())`),
    callsLimit: amount("calls_limit"),
    tokensLimit: amount("tokens_limit"),
    costLimit: amount("cost_limit"),
    callsSpent: amount("calls_spent").notNull().default(0),
    tokensSpent: amount("tokens_spent").notNull().default(0),
    costSpent: amount("cost_spent").notNull().default(0),
    callsReserved: amount("calls_reserved").notNull().default(0),
    tokensReserved: amount("tokens_reserved").notNull().default(0),
    costReserved: amount("cost_reserved").notNull().default(0),
  }, (t) => [
    primaryKey({ columns: [t.orgId, t.kind, t.id] }),
    index("budgets_org_id_created_at_idx").on(t.orgId, t.createdAt),
    index("budgets_minutes_idx").on(t.createdAt).where(sql`kind = 'minute'`),
  ]);
}

/** What holders may use and have used. Changed by `budget_ledger_v2` alone, but for its limits. */
export const budgets: (typeof Budgets)["table"] = Budgets["table"];
