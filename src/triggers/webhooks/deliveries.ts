import { CallError } from "@alkdev/operations";
import type { Caller } from "../../runs/mod.ts";
import { type Delivery, GIVE_UP_MS } from "./delivery.ts";
import type { DeliveryStore } from "./delivery_store.ts";
import type { WebhookStore } from "./webhook_store.ts";

/** Use cases of deliveries that go out. Codes: `WEBHOOK_NOT_FOUND`, `DELIVERY_NOT_FOUND`. */
export interface Deliveries {
  /** Newest first. */
  list(
    params: {
      readonly caller: Caller;
      readonly webhookId: string;
      readonly status?: Delivery["status"];
      readonly limit: number;
      readonly cursor?: string;
    },
  ): ReturnType<DeliveryStore["list"]>;
  /** Sends it again now, whatever came of it, and tries for a day. */
  redeliver(
    params: { readonly caller: Caller; readonly webhookId: string; readonly id: string },
  ): Promise<Delivery>;
}

export function createDeliveries(
  { webhooks, store, now, onQueued }: {
    readonly webhooks: Pick<WebhookStore, "get">;
    readonly store: DeliveryStore;
    readonly now: () => number;
    readonly onQueued: () => void;
  },
): Deliveries {
  const assertOwn = async ({ orgId }: Caller, id: string) => {
    if (await webhooks.get({ orgId, id }) === null) {
      throw new CallError("WEBHOOK_NOT_FOUND", `Cannot find webhook "${id}"`);
    }
  };
  return {
    async list({ caller, ...query }) {
      await assertOwn(caller, query.webhookId);
      return await store.list(query);
    },
    async redeliver({ caller, webhookId, id }) {
      await assertOwn(caller, webhookId);
      const at = now();
      const found = await store.again({ webhookId, id, now: at, giveUpAt: at + GIVE_UP_MS });
      if (found === null) throw new CallError("DELIVERY_NOT_FOUND", `Cannot find delivery "${id}"`);
      onQueued();
      return found;
    },
  };
}
