import { sql } from "drizzle-orm";
import { index, integer, jsonb, pgTable, text, uuid } from "drizzle-orm/pg-core";
import type { RunStatus } from "../../../engine/events.ts";
import { instant } from "./columns.ts";

class Runs {
  private static readonly table = pgTable("runs", {
    id: uuid("id").primaryKey(),
    parentRunId: uuid("parent_run_id"),
    parentRequestId: uuid("parent_request_id"),
    rootRunId: uuid("root_run_id"),
    createdAt: instant("created_at").notNull(),
    completedAt: instant("completed_at"),
    priority: integer("priority").notNull(),
    // No check, which each insert and update would compile anew: docs/decisions/0034-cheaper-commits.md.
    status: text("status").$type<RunStatus>().notNull(),
    orgId: text("org_id").notNull(),
    workflow: text("workflow").notNull(),
    version: text("version").notNull(),
    planHash: text("plan_hash").notNull(),
    labels: jsonb("labels").$type<Readonly<Record<string, string>>>().notNull(),
    errorCode: text("error_code"),
    firstVersion: text("first_version"),
    firstPlanHash: text("first_plan_hash"),
  }, (t) => [
    index("runs_org_id_created_at_idx").on(t.orgId, t.createdAt),
    index("runs_org_id_workflow_created_at_idx").on(t.orgId, t.workflow, t.createdAt),
    index("runs_parent_run_id_idx").on(t.parentRunId).where(sql`parent_run_id is not null`),
    index("runs_labels_idx").using("gin", t.labels).where(sql`labels <> '{}'::jsonb`),
  ]);
}

/** The run list, written with the log. `rootRunId` null: itself; `firstVersion` null: it is on the version that it started with. */
export const runs: (typeof Runs)["table"] = Runs["table"];
