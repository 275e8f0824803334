import { and, asc, desc, eq, gt, lte, sql } from "drizzle-orm";
import type { Receipt, StoredWebhook, WebhookRecord, WebhookStore } from "../triggers/mod.ts";
import { checkedRow } from "./checked_row.ts";
import type { Database } from "./database.ts";
import { column } from "./event_body.ts";
import { ensureOrganization } from "./organization_store.ts";
import { webhookReceipts, webhookRow, webhooks } from "./schema/mod.ts";
import { isUniqueViolation } from "./unique_violation.ts";

/** Webhooks in the database, for any number of hubs. */
export function createWebhookStore(db: Database): WebhookStore {
  const { orm } = db;
  const find = async (id: string) => {
    const [row] = await orm.select().from(webhooks).where(eq(webhooks.id, column(id)));
    return row === undefined ? null : toWebhook(row);
  };
  return {
    async create(webhook) {
      await ensureOrganization(db, webhook.orgId);
      const made = await orm.insert(webhooks).values({
        id: webhook.id,
        ...toColumns(webhook),
        createdAt: webhook.createdAt,
      })
        .onConflictDoNothing().returning({ id: webhooks.id });
      return made.length > 0;
    },
    async get({ orgId, id }) {
      const found = await find(id);
      return found?.orgId === orgId ? found : null;
    },
    find: ({ id }) => find(id),
    async list({ orgId }) {
      const rows = await orm.select().from(webhooks).where(eq(webhooks.orgId, column(orgId))).orderBy(
        asc(webhooks.name),
      );
      return rows.map(toWebhook);
    },
    async outbound() {
      const rows = await orm.select().from(webhooks).where(
        and(eq(webhooks.kind, "outbound"), eq(webhooks.paused, false)),
      );
      return rows.map(toWebhook).map(({ stats: _stats, ...webhook }) => webhook);
    },
    async sealedOtherwise({ keyVersion, limit, after }) {
      const isOther = sql`exists (select 1 from json_array_elements(${webhooks.secrets}) as secret
        where (secret -> 'sealed' ->> 'keyVersion')::integer <> ${keyVersion})`;
      const rows = await orm.select().from(webhooks).where(
        and(isOther, after === null ? undefined : gt(webhooks.id, after)),
      ).orderBy(asc(webhooks.id)).limit(limit);
      return rows.map(toWebhook).map(({ stats: _stats, ...webhook }) => webhook);
    },
    async update(webhook) {
      const { id, revision } = webhook;
      try {
        const changed = await orm.update(webhooks).set({ ...toColumns(webhook), revision: revision + 1 })
          .where(and(eq(webhooks.id, id), eq(webhooks.revision, revision))).returning({ id: webhooks.id });
        return changed.length === 0 ? "changed" : "updated";
      } catch (error) {
        if (isUniqueViolation(error)) return "name-taken";
        throw error;
      }
    },
    async remove({ orgId, id }) {
      const gone = await orm.delete(webhooks).where(and(eq(webhooks.id, column(id)), eq(webhooks.orgId, column(orgId))))
        .returning({ id: webhooks.id });
      return gone.length > 0;
    },
    async count({ id, accepted, at, error }) {
      const counted = accepted
        ? { accepted: sql`${webhooks.accepted} + 1`, lastAcceptedAt: at }
        : { rejected: sql`${webhooks.rejected} + 1`, lastRejectedAt: at };
      const failed = error === null ? {} : { lastError: column(error), lastErrorAt: at };
      await orm.update(webhooks).set({ ...counted, ...failed }).where(eq(webhooks.id, column(id)));
    },
    async receipt({ webhookId, deliveryId, now }) {
      const [row] = await orm.select().from(webhookReceipts).where(and(
        eq(webhookReceipts.webhookId, webhookId),
        eq(webhookReceipts.deliveryId, column(deliveryId)),
        gt(webhookReceipts.expiresAt, now),
      ));
      return row === undefined ? null : toReceipt(row);
    },
    async putReceipt({ at, deliveryId, ...receipt }) {
      const values = { ...receipt, deliveryId: column(deliveryId), createdAt: at };
      await orm.insert(webhookReceipts).values({ id: crypto.randomUUID(), ...values }).onConflictDoUpdate({
        target: [webhookReceipts.webhookId, webhookReceipts.deliveryId],
        set: values,
        setWhere: lte(webhookReceipts.expiresAt, at),
      });
    },
    async receipts({ webhookId, limit }) {
      const rows = await orm.select().from(webhookReceipts).where(eq(webhookReceipts.webhookId, column(webhookId)))
        .orderBy(desc(webhookReceipts.createdAt)).limit(limit);
      return rows.map(toReceipt);
    },
    async pruneReceipts({ now }) {
      await orm.delete(webhookReceipts).where(lte(webhookReceipts.expiresAt, now));
    },
  };
}

function toColumns(webhook: WebhookRecord) {
  const { orgId, definition, owner, secrets, paused, revision, activeSince, updatedAt } = webhook;
  return {
    orgId,
    kind: definition.kind,
    name: definition.name,
    definition,
    owner,
    secrets,
    paused,
    revision,
    activeSince,
    updatedAt,
  };
}

function toWebhook(row: typeof webhooks.$inferSelect): StoredWebhook {
  const { metadata: _metadata, name: _name, kind: _kind, ...rest } = checkedRow("webhooks", webhookRow, row);
  const { accepted, rejected, lastAcceptedAt, lastRejectedAt, lastError, lastErrorAt, ...webhook } = rest;
  return { ...webhook, stats: { accepted, rejected, lastAcceptedAt, lastRejectedAt, lastError, lastErrorAt } };
}

function toReceipt(row: typeof webhookReceipts.$inferSelect): Receipt {
  const { webhookId, deliveryId, createdAt: at, outcome, runId, expiresAt } = row;
  return { webhookId, deliveryId, at, outcome, runId, expiresAt };
}
