import { pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { instant } from "./columns.ts";

class IdempotencyKeys {
  private static readonly table = pgTable("idempotency_keys", {
    orgId: text("org_id").notNull(),
    workflow: text("workflow").notNull(),
    key: text("key").notNull(),
    runId: uuid("run_id").notNull(),
    createdAt: instant("created_at").notNull(),
  }, (t) => [primaryKey({ columns: [t.orgId, t.workflow, t.key] })]);
}

/** The run that a start with this key has begun. */
export const idempotencyKeys: (typeof IdempotencyKeys)["table"] = IdempotencyKeys["table"];
