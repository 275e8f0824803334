import { pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { instant } from "./columns.ts";

class FailedRuns {
  private static readonly table = pgTable("failed_runs", {
    createdAt: instant("created_at").notNull(),
    runId: uuid("run_id").notNull(),
    orgId: text("org_id").notNull(),
    status: text("status", { enum: ["failed", "aborted"] }).notNull(),
  }, (t) => [primaryKey({ columns: [t.orgId, t.status, t.createdAt, t.runId] })]);
}

/** What a filter by these statuses would otherwise look for in vain. */
export const failedRuns: (typeof FailedRuns)["table"] = FailedRuns["table"];
