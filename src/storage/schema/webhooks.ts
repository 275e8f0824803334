import { createSelectSchema } from "@alkdev/drizzlebox";
import { Type } from "@alkdev/typebox";
import { boolean, index, integer, pgTable, text, unique } from "drizzle-orm/pg-core";
import {
  type Owner,
  OwnerSchema,
  type StoredSecret,
  StoredSecretsSchema,
  type WebhookDefinition,
  WebhookDefinitionSchema,
} from "../../triggers/mod.ts";
import { common, exactJson, instant } from "./columns.ts";
import { organizations } from "./organizations.ts";

class Webhooks {
  private static readonly table = pgTable("webhooks", {
    ...common,
    orgId: text("org_id").notNull().references(() => organizations.id, { onDelete: "cascade" }),
    kind: text("kind", { enum: ["inbound", "outbound"] }).notNull(),
    name: text("name").notNull(),
    definition: exactJson("definition").$type<WebhookDefinition>().notNull(),
    owner: exactJson("owner").$type<Owner>().notNull(),
    secrets: exactJson("secrets").$type<readonly StoredSecret[]>().notNull(),
    paused: boolean("paused").notNull(),
    revision: integer("revision").notNull(),
    activeSince: instant("active_since").notNull(),
    accepted: integer("accepted").notNull().default(0),
    rejected: integer("rejected").notNull().default(0),
    lastAcceptedAt: instant("last_accepted_at"),
    lastRejectedAt: instant("last_rejected_at"),
    lastError: text("last_error"),
    lastErrorAt: instant("last_error_at"),
  }, (t) => [unique().on(t.orgId, t.name)]);
  private static readonly row = createSelectSchema(Webhooks.table, {
    definition: WebhookDefinitionSchema,
    owner: OwnerSchema,
    secrets: StoredSecretsSchema,
    metadata: Type.Record(Type.String(), Type.Unknown()),
  });
}

/** Webhooks of both kinds; `activeSince`: events before it are not sent. */
export const webhooks: (typeof Webhooks)["table"] = Webhooks["table"];
export const webhookRow: (typeof Webhooks)["row"] = Webhooks["row"];

class WebhookReceipts {
  private static readonly table = pgTable("webhook_receipts", {
    ...common,
    webhookId: text("webhook_id").notNull().references(() => webhooks.id, { onDelete: "cascade" }),
    deliveryId: text("delivery_id").notNull(),
    outcome: text("outcome", { enum: ["started", "signalled", "filtered"] }).notNull(),
    runId: text("run_id"),
    expiresAt: instant("expires_at").notNull(),
  }, (t) => [unique().on(t.webhookId, t.deliveryId), index("webhook_receipts_expires_at_idx").on(t.expiresAt)]);
}

/** What came in, by the sender's id of it. */
export const webhookReceipts: (typeof WebhookReceipts)["table"] = WebhookReceipts["table"];
