import type { OutboundEvent } from "./webhook.ts";

/** An event of a run, by its place in the log. Times are ms since the epoch. */
export interface EventRef {
  readonly runId: string;
  readonly seq: number;
  readonly type: OutboundEvent;
  readonly at: number;
}

/** An event with what the webhooks' filters ask of its run. */
export interface PlacedEvent extends EventRef {
  readonly orgId: string;
  readonly workflow: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** An event on its way to one webhook. */
export interface Delivery {
  /** The same for the same event and webhook: what the receiver knows it by. */
  readonly id: string;
  readonly webhookId: string;
  readonly orgId: string;
  readonly runId: string;
  readonly seq: number;
  readonly type: string;
  /** `dead`: given up. */
  readonly status: "pending" | "delivered" | "dead";
  readonly attempts: number;
  /** When it is sent, while pending. */
  readonly nextAt: number;
  /** No attempt is made after this. */
  readonly giveUpAt: number;
  /** HTTP status of the last answer; null: there was none. */
  readonly lastStatus: number | null;
  /** The beginning of its body. */
  readonly lastAnswer: string | null;
  readonly lastError: string | null;
  readonly createdAt: number;
  readonly deliveredAt: number | null;
}

/** How long a delivery is tried. */
export const GIVE_UP_MS: number = 24 * 60 * 60 * 1000;

/** A delivery that was not tried yet. */
export function newDelivery(webhookId: string, event: PlacedEvent, now: number): Delivery {
  const { runId, seq, type, orgId } = event;
  return {
    id: `msg_${webhookId}_${runId}_${seq}`,
    webhookId,
    orgId,
    runId,
    seq,
    type,
    status: "pending",
    attempts: 0,
    nextAt: now,
    giveUpAt: now + GIVE_UP_MS,
    lastStatus: null,
    lastAnswer: null,
    lastError: null,
    createdAt: now,
    deliveredAt: null,
  };
}
