import type { Delivery, EventRef, PlacedEvent } from "./delivery.ts";

/** Where deliveries are kept until they are made, and a while after. */
export interface DeliveryStore {
  /** One an event and webhook: what is known already is left as it is, and what has no webhook any more is left out. */
  enqueue(deliveries: readonly Delivery[]): Promise<void>;
  /**
   * Pending ones that are due at `now`, not claimed by another, and of each webhook's run only the earliest, so that its events
   * arrive in order. Not of webhooks in `except`. They are this caller's for `claimMs`, or until it settles them.
   */
  claimDue(
    params: {
      readonly now: number;
      readonly claimMs: number;
      readonly limit: number;
      readonly except: readonly string[];
    },
  ): Promise<readonly Delivery[]>;
  /** Stores what came of an attempt and ends the claim. */
  settle(delivery: Delivery): Promise<void>;
  /** Newest first. `cursor` is a page's `nextCursor`. */
  list(
    params: {
      readonly webhookId: string;
      readonly status?: Delivery["status"];
      readonly limit: number;
      readonly cursor?: string;
    },
  ): Promise<{ readonly items: readonly Delivery[]; readonly nextCursor: string | null }>;
  /** Makes it pending and due at `now`, and ends a claim; null: the webhook has none of this id. */
  again(
    params: { readonly webhookId: string; readonly id: string; readonly now: number; readonly giveUpAt: number },
  ): Promise<Delivery | null>;
  /** Forgets those made or given up that are older than `before`. */
  prune(params: { readonly before: number }): Promise<void>;
}

/** A look through the log for events that are not on their way yet. */
export interface Scan {
  readonly startedAt: number;
  /** When the last finished one began; null: there was none. */
  readonly since: number | null;
  /** Watched runs that had ended by then. */
  readonly ended: readonly string[];
}

/**
 * The log as the outbound side sees it. It has no order across runs and no column to find what is new by; so each scan looks at
 * the runs that lived at the last one (which it wrote down) and at those created since. No run escapes both.
 */
export interface OutboundLog {
  /** Runs that are not there are left out. */
  place(refs: readonly EventRef[]): Promise<readonly PlacedEvent[]>;
  /** Null: a scan has begun, here or elsewhere, less than `everyMs` ago. */
  beginScan(params: { readonly now: number; readonly everyMs: number }): Promise<Scan | null>;
  /** By run and seq, after `after`; of runs that are watched or created at or after `since`, events at or after `since`. */
  events(
    params: {
      readonly orgIds: readonly string[];
      readonly types: readonly string[];
      readonly since: number;
      readonly after: Pick<EventRef, "runId" | "seq"> | null;
      readonly limit: number;
    },
  ): Promise<readonly PlacedEvent[]>;
  /** Called when all events of a scan are on their way: watches the organizations' live runs, and forgets the ended ones. */
  endScan(params: { readonly scan: Scan; readonly orgIds: readonly string[] }): Promise<void>;
}
