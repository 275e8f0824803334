import { and, eq, inArray, lt, ne, sql } from "drizzle-orm";
import type { Delivery, DeliveryStore } from "../triggers/mod.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { Database } from "./database.ts";
import { column } from "./event_body.ts";
import { webhookDeliveries, webhooks } from "./schema/mod.ts";

/** Deliveries in the database, for any number of hubs. */
export function createDeliveryStore(db: Database): DeliveryStore {
  const { orm } = db;
  return {
    async enqueue(deliveries) {
      const ids = [...new Set(deliveries.map(({ webhookId }) => webhookId))];
      if (ids.length === 0) return;
      const found = await orm.select({ id: webhooks.id }).from(webhooks).where(inArray(webhooks.id, ids));
      const there = new Set(found.map(({ id }) => id));
      const rows = deliveries.filter(({ webhookId }) => there.has(webhookId));
      // In an order that all hubs keep, so that two that queue the same never wait for each other in a ring.
      const sorted = rows.toSorted((a, b) => a.id < b.id ? -1 : 1);
      for (let at = 0; at < sorted.length; at += BATCH) {
        await orm.insert(webhookDeliveries).values(sorted.slice(at, at + BATCH)).onConflictDoNothing();
      }
    },
    async claimDue({ now, claimMs, limit, except }) {
      const claimed = await db.query<{ id: string }>(CLAIM, [
        new Date(now).toISOString(),
        claimMs,
        limit,
        [...except],
      ]);
      if (claimed.length === 0) return [];
      const rows = await orm.select().from(webhookDeliveries).where(
        inArray(webhookDeliveries.id, claimed.map(({ id }) => id)),
      );
      return rows.map(toDelivery).sort((a, b) => a.nextAt - b.nextAt);
    },
    async settle({ id, status, attempts, nextAt, lastStatus, lastAnswer, lastError, deliveredAt }) {
      await orm.update(webhookDeliveries).set({
        status,
        attempts,
        nextAt,
        lastStatus,
        lastAnswer: lastAnswer === null ? null : column(lastAnswer),
        lastError: lastError === null ? null : column(lastError),
        deliveredAt,
        claimedUntil: null,
        updatedAt: sql`now()`,
      }).where(eq(webhookDeliveries.id, id));
    },
    async list({ webhookId, status, limit, cursor }) {
      const position = cursor === undefined ? null : decodeCursor(cursor);
      const rows = await orm.select().from(webhookDeliveries).where(and(
        eq(webhookDeliveries.webhookId, column(webhookId)),
        status === undefined ? undefined : eq(webhookDeliveries.status, status),
        position === null
          ? undefined
          : sql`(${webhookDeliveries.createdAt}, ${webhookDeliveries.id}) < (${
            new Date(position.createdAt).toISOString()
          }::timestamptz, ${position.id})`,
      )).orderBy(sql`${webhookDeliveries.createdAt} desc, ${webhookDeliveries.id} desc`).limit(limit + 1);
      const items = rows.slice(0, limit).map(toDelivery);
      const last = items.at(-1);
      return { items, nextCursor: rows.length > limit && last !== undefined ? encodeCursor(last) : null };
    },
    async again({ webhookId, id, now, giveUpAt }) {
      const [row] = await orm.update(webhookDeliveries)
        .set({ status: "pending", nextAt: now, giveUpAt, claimedUntil: null, updatedAt: sql`now()` })
        .where(and(eq(webhookDeliveries.id, column(id)), eq(webhookDeliveries.webhookId, column(webhookId))))
        .returning();
      return row === undefined ? null : toDelivery(row);
    },
    async prune({ before }) {
      await orm.delete(webhookDeliveries).where(
        and(ne(webhookDeliveries.status, "pending"), lt(webhookDeliveries.createdAt, before)),
      );
    },
  };
}

/** Rows of one insert: a row is 16 parameters, of which a statement takes 65,535. */
const BATCH = 1_000;

/** Of each run only its earliest, so that a webhook gets a run's events in order. */
const CLAIM =
  `update webhook_deliveries set claimed_until = $1::timestamptz + $2 * interval '1 millisecond' where id in (
  select d.id from webhook_deliveries d
  where d.status = 'pending' and d.next_at <= $1::timestamptz
    and (d.claimed_until is null or d.claimed_until <= $1::timestamptz)
    and not d.webhook_id = any ($4::text[])
    and not exists (select 1 from webhook_deliveries p where p.webhook_id = d.webhook_id and p.run_id = d.run_id
      and p.seq < d.seq and p.status = 'pending')
  order by d.next_at limit $3 for update skip locked
) returning id`;

function toDelivery(row: typeof webhookDeliveries.$inferSelect): Delivery {
  const { metadata: _metadata, updatedAt: _updatedAt, claimedUntil: _claimed, ...delivery } = row;
  return delivery;
}
