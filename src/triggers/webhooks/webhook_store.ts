import type { Receipt, WebhookRecord, WebhookStats } from "./webhook.ts";

/** A webhook with what has come of it. */
export interface StoredWebhook extends WebhookRecord {
  readonly stats: WebhookStats;
}

/** Where webhooks are kept. Names are unique in an organization. */
export interface WebhookStore {
  /** False: the organization has one of that name; nothing was stored. */
  create(webhook: WebhookRecord): Promise<boolean>;
  get(params: { readonly orgId: string; readonly id: string }): Promise<StoredWebhook | null>;
  /** For whoever has no organization yet: a sender. */
  find(params: { readonly id: string }): Promise<StoredWebhook | null>;
  /** By name. */
  list(params: { readonly orgId: string }): Promise<readonly StoredWebhook[]>;
  /** Of all organizations: those that send and are not paused. */
  outbound(): Promise<readonly WebhookRecord[]>;
  /** Of all organizations: those with a secret that is sealed with another key, by id, after `after`. */
  sealedOtherwise(
    params: { readonly keyVersion: number; readonly limit: number; readonly after: string | null },
  ): Promise<readonly WebhookRecord[]>;
  /** As `ScheduleStore.update`. */
  update(webhook: WebhookRecord): Promise<"updated" | "changed" | "name-taken">;
  /** Its receipts and deliveries go with it. False: there is none. */
  remove(params: { readonly orgId: string; readonly id: string }): Promise<boolean>;
  /** Counts what came in. `error` tells what went wrong with it; null where nothing did. */
  count(
    params: { readonly id: string; readonly accepted: boolean; readonly at: number; readonly error: string | null },
  ): Promise<void>;
  /** What this delivery did before, where that is not over at `now`; null: nothing. */
  receipt(
    params: { readonly webhookId: string; readonly deliveryId: string; readonly now: number },
  ): Promise<Receipt | null>;
  /** The first one of a delivery stays, unless it is over at the new one's time. */
  putReceipt(receipt: Receipt): Promise<void>;
  /** Newest first. */
  receipts(params: { readonly webhookId: string; readonly limit: number }): Promise<readonly Receipt[]>;
  /** Forgets receipts that are over at `now`. */
  pruneReceipts(params: { readonly now: number }): Promise<void>;
}
