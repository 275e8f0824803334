import { doublePrecision, integer, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { instant } from "./columns.ts";

class RunProgress {
  private static readonly table = pgTable("run_progress", {
    runId: uuid("run_id").notNull(),
    nodeKey: text("node_key").notNull(),
    attempt: integer("attempt").notNull(),
    at: instant("at").notNull(),
    value: doublePrecision("value"),
    total: doublePrecision("total"),
    message: text("message"),
  }, (t) => [primaryKey({ columns: [t.runId, t.nodeKey] })]);
}

/** How far each node said it was, last. */
export const runProgress: (typeof RunProgress)["table"] = RunProgress["table"];
