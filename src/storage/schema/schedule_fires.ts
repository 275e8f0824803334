import { index, pgTable, text } from "drizzle-orm/pg-core";
import { common, instant } from "./columns.ts";
import { schedules } from "./schedules.ts";

class ScheduleFires {
  private static readonly table = pgTable("schedule_fires", {
    ...common,
    scheduleId: text("schedule_id").notNull().references(() => schedules.id, { onDelete: "cascade" }),
    tick: instant("tick").notNull(),
    kind: text("kind", { enum: ["tick", "manual"] }).notNull(),
    outcome: text("outcome", { enum: ["started", "skipped", "failed"] }).notNull(),
    runId: text("run_id"),
    reason: text("reason"),
  }, (t) => [index("schedule_fires_schedule_id_idx").on(t.scheduleId, t.createdAt)]);
}

/** What each tick came to. */
export const scheduleFires: (typeof ScheduleFires)["table"] = ScheduleFires["table"];
