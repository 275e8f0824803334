import { sql } from "drizzle-orm";
import { bigint, index, integer, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { exactJson, instant } from "./columns.ts";

class Retention {
  private static readonly garbage = pgTable("retention_garbage", { runId: uuid("run_id").primaryKey() });
  private static readonly lease = pgTable("retention_lease", {
    id: integer("id").primaryKey(),
    hubId: text("hub_id"),
    leaseUntil: instant("lease_until"),
    plansSweptAt: instant("plans_swept_at"),
  });
  private static readonly jobs = pgTable("retention_jobs", {
    id: text("id").primaryKey(),
    createdAt: instant("created_at").notNull().default(sql`clock_timestamp()`),
    updatedAt: instant("updated_at").notNull().default(sql`clock_timestamp()`),
    orgId: text("org_id"),
    createdBy: text("created_by").notNull(),
    filter: exactJson("filter").notNull(),
    action: text("action", { enum: ["delete", "archive"] }).notNull(),
    state: text("state", { enum: ["waiting", "running", "done", "failed"] }).notNull().default("waiting"),
    position: exactJson("position"),
    trees: bigint("trees", { mode: "number" }).notNull().default(0),
    runs: bigint("runs", { mode: "number" }).notNull().default(0),
    examined: bigint("examined", { mode: "number" }).notNull().default(0),
    files: exactJson("files").notNull().default([]),
    error: text("error"),
  }, (t) => [
    index("retention_jobs_open_idx").on(t.createdAt).where(sql`state = any (array['waiting'::text, 'running'::text])`),
    index("retention_jobs_created_at_idx").on(t.createdAt),
  ]);
}

/** Runs whose rows elsewhere are still to be deleted. */
export const retentionGarbage: (typeof Retention)["garbage"] = Retention["garbage"];
/** Which hub does away with runs now. */
export const retentionLease: (typeof Retention)["lease"] = Retention["lease"];
/** What was asked for, and how far it is. */
export const retentionJobs: (typeof Retention)["jobs"] = Retention["jobs"];
