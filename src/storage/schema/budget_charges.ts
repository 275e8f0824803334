import { sql } from "drizzle-orm";
import { bigint, index, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { instant } from "./columns.ts";

const amount = (name: string) => bigint(name, { mode: "number" });

class BudgetCharges {
  private static readonly table = pgTable("budget_charges", {
    orgId: text("org_id").notNull(),
    id: text("id").notNull(),
    at: instant("at").notNull().default(sql`clock_timestamp()`),
    expiresAt: instant("expires_at"),
    runId: uuid("run_id"),
    state: text("state", { enum: ["reserved", "settled", "released"] }).notNull(),
    calls: amount("calls").notNull(),
    tokens: amount("tokens").notNull(),
    costMicros: amount("cost_micros").notNull(),
    workflow: text("workflow"),
    operationId: text("operation_id").notNull(),
    identityId: text("identity_id").notNull(),
    kinds: text("kinds").array().notNull(),
    ids: text("ids").array().notNull(),
    model: text("model"),
  }, (t) => [
    primaryKey({ columns: [t.orgId, t.id] }),
    index("budget_charges_org_id_at_idx").on(t.orgId, t.at),
    index("budget_charges_run_id_idx").on(t.runId).where(sql`run_id is not null`),
    index("budget_charges_open_idx").on(t.at).where(sql`state = 'reserved'`),
  ]);
}

/** Pieces of work and what they used, or may use. `kinds` and `ids` are the holders, side by side. */
export const budgetCharges: (typeof BudgetCharges)["table"] = BudgetCharges["table"];
