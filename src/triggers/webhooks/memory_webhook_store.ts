import type { Receipt, WebhookRecord, WebhookStats } from "./webhook.ts";
import type { StoredWebhook, WebhookStore } from "./webhook_store.ts";

const NO_STATS: WebhookStats = {
  accepted: 0,
  rejected: 0,
  lastAcceptedAt: null,
  lastRejectedAt: null,
  lastError: null,
  lastErrorAt: null,
};

/** Webhooks in memory: gone with the process. */
export function createMemoryWebhookStore(): WebhookStore {
  return new MemoryWebhookStore();
}

class MemoryWebhookStore implements WebhookStore {
  readonly #webhooks = new Map<string, StoredWebhook>();
  #receipts: Receipt[] = [];

  create(webhook: WebhookRecord): Promise<boolean> {
    if (this.#nameTaken(webhook)) return Promise.resolve(false);
    this.#webhooks.set(webhook.id, structuredClone({ ...webhook, stats: NO_STATS }));
    return Promise.resolve(true);
  }

  async get({ orgId, id }: { readonly orgId: string; readonly id: string }): Promise<StoredWebhook | null> {
    const found = await this.find({ id });
    return found?.orgId === orgId ? found : null;
  }

  find({ id }: { readonly id: string }): Promise<StoredWebhook | null> {
    return Promise.resolve(structuredClone(this.#webhooks.get(id) ?? null));
  }

  list({ orgId }: { readonly orgId: string }): Promise<readonly StoredWebhook[]> {
    const own = [...this.#webhooks.values()].filter((webhook) => webhook.orgId === orgId);
    return Promise.resolve(structuredClone(own.sort((a, b) => a.definition.name < b.definition.name ? -1 : 1)));
  }

  outbound(): Promise<readonly WebhookRecord[]> {
    const all = [...this.#webhooks.values()].filter(({ definition, paused }) =>
      definition.kind === "outbound" && !paused
    );
    return Promise.resolve(all.map(({ stats: _stats, ...webhook }) => structuredClone(webhook)));
  }

  sealedOtherwise(
    { keyVersion, limit, after }: Parameters<WebhookStore["sealedOtherwise"]>[0],
  ): Promise<readonly WebhookRecord[]> {
    const found = [...this.#webhooks.values()].filter(({ id, secrets }) =>
      (after === null || id > after) && secrets.some(({ sealed }) => sealed.keyVersion !== keyVersion)
    ).sort((a, b) => a.id < b.id ? -1 : 1);
    return Promise.resolve(found.slice(0, limit).map(({ stats: _stats, ...webhook }) => structuredClone(webhook)));
  }

  update(webhook: WebhookRecord): Promise<"updated" | "changed" | "name-taken"> {
    const old = this.#webhooks.get(webhook.id);
    if (old?.revision !== webhook.revision) return Promise.resolve("changed");
    if (this.#nameTaken(webhook)) return Promise.resolve("name-taken");
    const { stats } = old;
    this.#webhooks.set(webhook.id, structuredClone({ ...webhook, revision: webhook.revision + 1, stats }));
    return Promise.resolve("updated");
  }

  remove({ orgId, id }: { readonly orgId: string; readonly id: string }): Promise<boolean> {
    if (this.#webhooks.get(id)?.orgId !== orgId) return Promise.resolve(false);
    this.#receipts = this.#receipts.filter(({ webhookId }) => webhookId !== id);
    return Promise.resolve(this.#webhooks.delete(id));
  }

  count({ id, accepted, at, error }: Parameters<WebhookStore["count"]>[0]): Promise<void> {
    const found = this.#webhooks.get(id);
    if (found === undefined) return Promise.resolve();
    const { stats } = found;
    const counted = accepted
      ? { accepted: stats.accepted + 1, lastAcceptedAt: at }
      : { rejected: stats.rejected + 1, lastRejectedAt: at };
    const failed = error === null ? {} : { lastError: error, lastErrorAt: at };
    this.#webhooks.set(id, { ...found, stats: { ...stats, ...counted, ...failed } });
    return Promise.resolve();
  }

  receipt({ webhookId, deliveryId, now }: Parameters<WebhookStore["receipt"]>[0]): Promise<Receipt | null> {
    const found = this.#receipts.find((each) =>
      each.webhookId === webhookId && each.deliveryId === deliveryId && each.expiresAt > now
    );
    return Promise.resolve(found ?? null);
  }

  async putReceipt(receipt: Receipt): Promise<void> {
    const { webhookId, deliveryId, at } = receipt;
    if (await this.receipt({ webhookId, deliveryId, now: at }) !== null) return;
    this.#receipts = this.#receipts.filter((each) => each.webhookId !== webhookId || each.deliveryId !== deliveryId);
    this.#receipts.push(receipt);
  }

  receipts({ webhookId, limit }: Parameters<WebhookStore["receipts"]>[0]): Promise<readonly Receipt[]> {
    const own = this.#receipts.filter((each) => each.webhookId === webhookId).sort((a, b) => b.at - a.at);
    return Promise.resolve(own.slice(0, limit));
  }

  pruneReceipts({ now }: { readonly now: number }): Promise<void> {
    this.#receipts = this.#receipts.filter(({ expiresAt }) => expiresAt > now);
    return Promise.resolve();
  }

  #nameTaken({ id, orgId, definition }: WebhookRecord): boolean {
    return [...this.#webhooks.values()].some((other) =>
      other.id !== id && other.orgId === orgId && other.definition.name === definition.name
    );
  }
}
