import { sql } from "drizzle-orm";
import { index, integer, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { exactJson, instant } from "./columns.ts";
import { organizations } from "./organizations.ts";

class InferenceTables {
  private static readonly policies = pgTable("inference_policies", {
    orgId: text("org_id").primaryKey().references(() => organizations.id, { onDelete: "cascade" }),
    revision: integer("revision").notNull(),
    body: exactJson("body").notNull(),
    updatedAt: instant("updated_at").notNull().default(sql`now()`),
  });
  private static readonly responses = pgTable("inference_responses", {
    orgId: text("org_id").notNull().references(() => organizations.id, { onDelete: "cascade" }),
    id: text("id").notNull(),
    provider: text("provider").notNull(),
    createdAt: instant("created_at").notNull().default(sql`now()`),
  }, (t) => [
    primaryKey({ columns: [t.orgId, t.id] }),
    index("inference_responses_created_at_idx").on(t.createdAt),
  ]);
}

export const inferencePolicies: (typeof InferenceTables)["policies"] = InferenceTables["policies"];
export const inferenceResponses: (typeof InferenceTables)["responses"] = InferenceTables["responses"];
