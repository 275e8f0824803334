import { bigint, integer, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { exactJson, instant } from "./columns.ts";

class RunLogs {
  private static readonly table = pgTable("run_logs", {
    runId: uuid("run_id").notNull(),
    // An identity, which the database does not count as a default.
    id: bigint("id", { mode: "number" }).notNull(),
    at: instant("at").notNull(),
    nodeKey: text("node_key").notNull(),
    attempt: integer("attempt").notNull(),
    requestId: uuid("request_id").notNull(),
    level: text("level", { enum: ["debug", "info", "warn", "error"] }).notNull(),
    message: text("message").notNull(),
    data: exactJson("data"),
  }, (t) => [primaryKey({ columns: [t.runId, t.id] })]);
}

/** Log lines of runs, in the order of `id`. */
export const runLogs: (typeof RunLogs)["table"] = RunLogs["table"];
