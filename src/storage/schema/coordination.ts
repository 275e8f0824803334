import { sql } from "drizzle-orm";
import { index, integer, pgTable, text, unique } from "drizzle-orm/pg-core";
import { common, exactJson, instant } from "./columns.ts";
import { organizations } from "./organizations.ts";

class Coordination {
  private static readonly mappings = pgTable("mappings", {
    ...common,
    orgId: text("org_id").notNull().references(() => organizations.id, { onDelete: "cascade" }),
    spawnKey: text("spawn_key").notNull(),
    treeId: text("tree_id").notNull(),
    depth: integer("depth").notNull(),
    parentSessionId: text("parent_session_id"),
    parentRunId: text("parent_run_id"),
    sessionId: text("session_id"),
    taskId: text("task_id"),
    task: text("task").notNull(),
    spoke: text("spoke"),
    branch: text("branch"),
    status: text("status", { enum: ["active", "completed", "aborted", "failed"] }).notNull().default("active"),
    worktree: text("worktree", { enum: ["none", "wanted", "present", "removed", "kept"] }).notNull(),
    round: integer("round").notNull(),
    result: text("result"),
    error: exactJson("error"),
    body: exactJson("body").notNull(),
    dueAt: instant("due_at"),
    completedAt: instant("completed_at"),
  }, (t) => [
    unique().on(t.orgId, t.spawnKey),
    index("mappings_org_created_idx").on(t.orgId, t.createdAt, t.id),
    index("mappings_session_idx").on(t.orgId, t.sessionId),
    index("mappings_parent_session_idx").on(t.orgId, t.parentSessionId),
    index("mappings_parent_run_idx").on(t.orgId, t.parentRunId),
    index("mappings_tree_idx").on(t.orgId, t.treeId),
    index("mappings_task_idx").on(t.orgId, t.taskId),
    index("mappings_due_idx").on(t.dueAt).where(sql`due_at is not null`),
  ]);
  private static readonly notices = pgTable("notices", {
    ...common,
    orgId: text("org_id").notNull().references(() => organizations.id, { onDelete: "cascade" }),
    mappingId: text("mapping_id").notNull().references(() => mappings.id, { onDelete: "cascade" }),
    kind: text("kind", { enum: ["message", "notice", "detection"] }).notNull(),
    level: text("level", { enum: ["info", "warning", "blocking"] }).notNull(),
    recipient: text("recipient"),
    body: text("body").notNull(),
    sender: text("sender").notNull(),
    runId: text("run_id"),
    answer: exactJson("answer"),
    answeredAt: instant("answered_at"),
    deliveredAt: instant("delivered_at"),
    dueAt: instant("due_at"),
  }, (t) => [
    index("notices_org_created_idx").on(t.orgId, t.createdAt, t.id),
    index("notices_mapping_idx").on(t.mappingId),
    index("notices_due_idx").on(t.dueAt).where(sql`due_at is not null`),
  ]);
  private static readonly detections = pgTable("detections", {
    ...common,
    orgId: text("org_id").notNull().references(() => organizations.id, { onDelete: "cascade" }),
    mappingId: text("mapping_id").references(() => mappings.id, { onDelete: "set null" }),
    sessionId: text("session_id").notNull(),
    type: text("type").notNull(),
    severity: text("severity", { enum: ["low", "medium", "high"] }).notNull(),
    occurrence: text("occurrence").notNull(),
    details: exactJson("details").notNull(),
  }, (t) => [
    unique().on(t.orgId, t.sessionId, t.type, t.occurrence),
    index("detections_org_created_idx").on(t.orgId, t.createdAt, t.id),
    index("detections_mapping_idx").on(t.mappingId),
  ]);
}

/** Spawned sessions with their worktrees. */
export const mappings: (typeof Coordination)["mappings"] = Coordination["mappings"];
/** What they and their parents tell each other. */
export const notices: (typeof Coordination)["notices"] = Coordination["notices"];
/** Anomalies of sessions. */
export const detections: (typeof Coordination)["detections"] = Coordination["detections"];
