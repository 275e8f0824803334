import { integer, pgTable, text, uuid } from "drizzle-orm/pg-core";

class LiveRuns {
  private static readonly table = pgTable("live_runs", {
    runId: uuid("run_id").primaryKey(),
    epoch: integer("epoch").notNull(),
    hubId: text("hub_id").notNull(),
  });
}

/** Who drives a run that is not over. */
export const liveRuns: (typeof LiveRuns)["table"] = LiveRuns["table"];
