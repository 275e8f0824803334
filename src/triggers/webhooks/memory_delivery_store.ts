import type { Delivery } from "./delivery.ts";
import type { DeliveryStore } from "./delivery_store.ts";

/** Deliveries in memory: gone with the process. */
export function createMemoryDeliveryStore(): DeliveryStore {
  return new MemoryDeliveryStore();
}

class MemoryDeliveryStore implements DeliveryStore {
  readonly #deliveries = new Map<string, Delivery>();
  readonly #claims = new Map<string, number>();

  enqueue(deliveries: readonly Delivery[]): Promise<void> {
    for (const each of deliveries) if (!this.#deliveries.has(each.id)) this.#deliveries.set(each.id, each);
    return Promise.resolve();
  }

  claimDue(
    { now, claimMs, limit, except }: Parameters<DeliveryStore["claimDue"]>[0],
  ): ReturnType<DeliveryStore["claimDue"]> {
    const pending = [...this.#deliveries.values()].filter(({ status }) => status === "pending");
    const due = pending
      .filter(({ id, nextAt, webhookId }) =>
        nextAt <= now && (this.#claims.get(id) ?? 0) <= now && !except.includes(webhookId)
      )
      .filter((one) =>
        !pending.some((other) => other.webhookId === one.webhookId && other.runId === one.runId && other.seq < one.seq)
      )
      .sort((a, b) => a.nextAt - b.nextAt).slice(0, limit);
    for (const { id } of due) this.#claims.set(id, now + claimMs);
    return Promise.resolve(due);
  }

  settle(delivery: Delivery): Promise<void> {
    if (this.#deliveries.has(delivery.id)) this.#deliveries.set(delivery.id, delivery);
    this.#claims.delete(delivery.id);
    return Promise.resolve();
  }

  list({ webhookId, status, limit, cursor }: Parameters<DeliveryStore["list"]>[0]): ReturnType<DeliveryStore["list"]> {
    const own = [...this.#deliveries.values()]
      .filter((each) => each.webhookId === webhookId && (status === undefined || each.status === status))
      .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
    const from = cursor === undefined ? 0 : own.findIndex(({ id }) => id === cursor) + 1;
    const items = own.slice(from, from + limit);
    return Promise.resolve({ items, nextCursor: own.length > from + limit ? items.at(-1)?.id ?? null : null });
  }

  again({ webhookId, id, now, giveUpAt }: Parameters<DeliveryStore["again"]>[0]): ReturnType<DeliveryStore["again"]> {
    const found = this.#deliveries.get(id);
    if (found?.webhookId !== webhookId) return Promise.resolve(null);
    const pending: Delivery = { ...found, status: "pending", nextAt: now, giveUpAt };
    this.#deliveries.set(id, pending);
    this.#claims.delete(id);
    return Promise.resolve(pending);
  }

  prune({ before }: { readonly before: number }): Promise<void> {
    for (const { id, status, createdAt } of this.#deliveries.values()) {
      if (status !== "pending" && createdAt < before) this.#deliveries.delete(id);
    }
    return Promise.resolve();
  }
}
