import { createSelectSchema } from "@alkdev/drizzlebox";
import { Type } from "@alkdev/typebox";
import { sql } from "drizzle-orm";
import { boolean, index, integer, pgTable, text, unique } from "drizzle-orm/pg-core";
import { type Owner, OwnerSchema, type ScheduleDefinition, ScheduleDefinitionSchema } from "../../triggers/mod.ts";
import { common, exactJson, instant } from "./columns.ts";
import { organizations } from "./organizations.ts";

class Schedules {
  private static readonly table = pgTable("schedules", {
    ...common,
    orgId: text("org_id").notNull().references(() => organizations.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    definition: exactJson("definition").$type<ScheduleDefinition>().notNull(),
    owner: exactJson("owner").$type<Owner>().notNull(),
    paused: boolean("paused").notNull(),
    revision: integer("revision").notNull(),
    nextTick: instant("next_tick"),
    dueAt: instant("due_at"),
    claimedUntil: instant("claimed_until"),
    lastRunId: text("last_run_id"),
    lastError: text("last_error"),
    lastErrorAt: instant("last_error_at"),
  }, (t) => [
    unique().on(t.orgId, t.name),
    index("schedules_due_at_idx").on(t.dueAt).where(sql`(due_at is not null) and (not paused)`),
  ]);
  private static readonly row = createSelectSchema(Schedules.table, {
    definition: ScheduleDefinitionSchema,
    owner: OwnerSchema,
    metadata: Type.Record(Type.String(), Type.Unknown()),
  });
}

/** `claimedUntil`: until then one hub is at work on it. */
export const schedules: (typeof Schedules)["table"] = Schedules["table"];
export const scheduleRow: (typeof Schedules)["row"] = Schedules["row"];
