import { sql } from "drizzle-orm";
import { index, integer, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { instant } from "./columns.ts";

class RunEvents {
  private static readonly table = pgTable("run_events", {
    runId: uuid("run_id").notNull(),
    requestId: uuid("request_id"),
    at: instant("at").notNull(),
    seq: integer("seq").notNull(),
    type: text("type").notNull(),
    nodeKey: text("node_key"),
    body: text("body").notNull(),
  }, (t) => [
    primaryKey({ columns: [t.runId, t.seq] }),
    index("run_events_request_id_idx").using("hash", t.requestId).where(sql`request_id is not null`),
    index("run_events_signals_idx").on(t.runId, t.seq).where(
      sql`type = any (array['signal.awaited'::text, 'signal.received'::text, 'signal.timedout'::text])`,
    ),
  ]);
}

/** The log. `body` is read by `event_body.ts` alone. */
export const runEvents: (typeof RunEvents)["table"] = RunEvents["table"];
