import { sql } from "drizzle-orm";
import { index, integer, pgTable, text, unique, uuid } from "drizzle-orm/pg-core";
import { common, instant } from "./columns.ts";
import { organizations } from "./organizations.ts";
import { webhooks } from "./webhooks.ts";

class WebhookDeliveries {
  private static readonly table = pgTable("webhook_deliveries", {
    ...common,
    webhookId: text("webhook_id").notNull().references(() => webhooks.id, { onDelete: "cascade" }),
    orgId: text("org_id").notNull().references(() => organizations.id, { onDelete: "cascade" }),
    runId: uuid("run_id").notNull(),
    seq: integer("seq").notNull(),
    type: text("type").notNull(),
    status: text("status", { enum: ["pending", "delivered", "dead"] }).notNull(),
    attempts: integer("attempts").notNull().default(0),
    nextAt: instant("next_at").notNull(),
    giveUpAt: instant("give_up_at").notNull(),
    claimedUntil: instant("claimed_until"),
    lastStatus: integer("last_status"),
    lastAnswer: text("last_answer"),
    lastError: text("last_error"),
    deliveredAt: instant("delivered_at"),
  }, (t) => [
    unique().on(t.webhookId, t.runId, t.seq),
    index("webhook_deliveries_next_at_idx").on(t.nextAt).where(sql`status = 'pending'`),
    index("webhook_deliveries_webhook_id_idx").on(t.webhookId, t.createdAt),
    index("webhook_deliveries_created_at_idx").on(t.createdAt).where(sql`status <> 'pending'`),
  ]);
}

/** What goes out: one row an event and webhook. */
export const webhookDeliveries: (typeof WebhookDeliveries)["table"] = WebhookDeliveries["table"];

class WebhookWatch {
  private static readonly table = pgTable("webhook_watch", { runId: uuid("run_id").primaryKey() });
}

/** Runs that lived when the log was last looked through for what has to go out. */
export const webhookWatch: (typeof WebhookWatch)["table"] = WebhookWatch["table"];

class WebhookScans {
  private static readonly table = pgTable("webhook_scans", {
    id: text("id").primaryKey(),
    scannedAt: instant("scanned_at").notNull(),
  });
}

/** When that was: one row. */
export const webhookScans: (typeof WebhookScans)["table"] = WebhookScans["table"];
