import { sql } from "drizzle-orm";
import { index, integer, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { instant } from "./columns.ts";

class DeadLetters {
  private static readonly table = pgTable("dead_letters", {
    runId: uuid("run_id").primaryKey(),
    orgId: text("org_id").notNull(),
    failedAt: instant("failed_at"),
    workflow: text("workflow"),
    nodeKey: text("node_key"),
    operationId: text("operation_id"),
    code: text("code"),
    message: text("message"),
    attempts: integer("attempts"),
    handled: text("handled", { enum: ["rerun", "discarded"] }),
    handledAt: instant("handled_at"),
    handledBy: text("handled_by"),
    newRunId: uuid("new_run_id"),
  }, (t) => [
    index("dead_letters_unread_idx").on(t.orgId, t.runId).where(sql`(failed_at is null) and (handled is null)`),
    index("dead_letters_open_idx").on(t.orgId, t.failedAt, t.runId).where(
      sql`(failed_at is not null) and (handled is null)`,
    ),
  ]);
}

/** Failed runs, and what was done about them. */
export const deadLetters: (typeof DeadLetters)["table"] = DeadLetters["table"];
