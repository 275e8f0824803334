/** Flow control: who may start now. What it needs, and what it gives to the edges. */
import type { GateLine } from "../../engine/mod.ts";
import type { Caller } from "../runs/mod.ts";

/** The process that asks. Tickets of one whose lease is lost are not for it to touch. */
export interface FlowHub {
  readonly hubId: string;
  readonly epoch: number;
}

/** One place in one line. */
export interface TicketId {
  readonly orgId: string;
  readonly key: string;
  /** A run's id, or a call's request id. */
  readonly holder: string;
}

export interface TicketRequest extends TicketId {
  readonly runId: string;
  /** Null: the run itself. */
  readonly nodeKey: string | null;
  readonly priority: number;
  /** Lowest first; of equals who came first. */
  readonly rank: number;
  readonly line: Omit<GateLine, "key">;
  /** Most that hold the key where neither the line nor a limit of the organization says; null: no limit. */
  readonly fallback: number | null;
  /** It does not wait: `refused` when it would. */
  readonly nowOrNever?: true;
}

/** `held`: it may start, and holds the key until it is released. */
export type TicketState = "held" | "replaced" | "refused";

/** What has become of a ticket that waited. */
export interface TicketNews extends TicketId {
  readonly state: TicketState;
  /** Whose run took its place; null unless replaced. */
  readonly replacedBy: string | null;
}

/** What an organization allows under a key. Null: nothing said. */
export interface FlowLimit {
  readonly orgId: string;
  readonly key: string;
  readonly concurrency: number | null;
  readonly rate: { readonly limit: number; readonly perMs: number } | null;
  readonly updatedBy: string;
  readonly updatedAt: number;
}

export type HoldKind = "workflow" | "operation" | "spoke";

/** What nobody starts for the time being. `name`: of a workflow or spoke, or an operation's id. */
export interface Hold {
  readonly id: string;
  readonly orgId: string;
  readonly kind: HoldKind;
  readonly name: string;
  readonly reason: string | null;
  readonly createdBy: string;
  readonly createdAt: number;
}

/** All limits and holds, of all organizations. */
export interface FlowRules {
  /** Rises with each change. */
  readonly version: number;
  readonly limits: readonly FlowLimit[];
  readonly holds: readonly Hold[];
}

/** A ticket as it is shown. Times are ms since the epoch. */
export interface TicketView extends TicketId {
  readonly runId: string;
  readonly nodeKey: string | null;
  readonly state: "waiting" | "held";
  readonly priority: number;
  readonly since: number;
  /** 1 is next; null when it holds the key. */
  readonly position: number | null;
  /** It is not granted before; null: no such time. */
  readonly notBefore: number | null;
  /** What counts for it: of the organization, else of its own. Null: none. */
  readonly concurrency: number | null;
  readonly rate: { readonly limit: number; readonly perMs: number } | null;
}

/** A key with its counts. */
export interface KeyView {
  readonly key: string;
  readonly running: number;
  readonly waiting: number;
  /** As counts for who is next, else for who holds it. */
  readonly concurrency: number | null;
  readonly rate: { readonly limit: number; readonly perMs: number } | null;
}

/**
 * Tickets, limits and holds, durable and shared by all hubs. Counting and granting are one step: what a key allows is never
 * exceeded, whoever asks when. Implementations run `flowStoreConformance`.
 */
export interface FlowStore {
  /** Puts tickets in line; those that are there already are taken over as they stand. Answers the hub's news, theirs included. */
  request(hub: FlowHub, tickets: readonly TicketRequest[]): Promise<readonly TicketNews[]>;
  /** Leaves lines, gives keys back: of this hub's tickets only. */
  release(hub: FlowHub, tickets: readonly TicketId[]): Promise<readonly TicketNews[]>;
  /** Grants what has come due by time, and gives the news that the hub has not been told. */
  poll(hub: FlowHub): Promise<readonly TicketNews[]>;
  /**
   * Takes away tickets of runs that are over, of runs that never began and came at least `ageMs` ago, and, of `runIds`, those
   * that `hub` has not asked for. Gives how many.
   */
  sweep(hub: FlowHub, params: { readonly runIds: readonly string[]; readonly ageMs: number }): Promise<number>;

  version(): Promise<number>;
  rules(): Promise<FlowRules>;
  /** Replaces the key's limit. */
  setLimit(limit: Omit<FlowLimit, "updatedAt">): Promise<FlowLimit>;
  /** False: there was none. */
  removeLimit(params: { readonly orgId: string; readonly key: string }): Promise<boolean>;
  /** The hold there is for this kind and name, if there is one; else the new one. */
  addHold(hold: Omit<Hold, "id" | "createdAt">): Promise<Hold>;
  /** Null: there was none. */
  removeHold(params: { readonly orgId: string; readonly id: string }): Promise<Hold | null>;

  /** Keys that have a ticket, by key. */
  keys(params: { readonly orgId: string }): Promise<readonly KeyView[]>;
  /** Who holds a key, oldest first, then who waits, next first; at most `limit`. */
  tickets(
    params: { readonly orgId: string; readonly key: string; readonly limit: number },
  ): Promise<readonly TicketView[]>;
  /** Every ticket of a run and its calls. */
  ticketsOf(params: { readonly orgId: string; readonly runId: string }): Promise<readonly TicketView[]>;
}

/** The use cases. Every method shows the caller's organization only. */
export interface Flow {
  limits(caller: Caller): Promise<readonly FlowLimit[]>;
  /** @throws CallError VALIDATION_ERROR */
  setLimit(
    params: {
      readonly caller: Caller;
      readonly key: string;
      readonly concurrency?: number;
      readonly rate?: { readonly limit: number; readonly perMs: number };
    },
  ): Promise<FlowLimit>;
  /** @throws CallError LIMIT_NOT_FOUND */
  removeLimit(params: { readonly caller: Caller; readonly key: string }): Promise<void>;
  holds(caller: Caller): Promise<readonly Hold[]>;
  addHold(
    params: { readonly caller: Caller; readonly kind: HoldKind; readonly name: string; readonly reason?: string },
  ): Promise<Hold>;
  /** @throws CallError HOLD_NOT_FOUND */
  removeHold(params: { readonly caller: Caller; readonly id: string }): Promise<void>;
  /** Keys that have a limit, or that something holds or waits for. */
  keys(caller: Caller): Promise<readonly KeyView[]>;
  /** @throws CallError KEY_NOT_IN_USE */
  key(
    params: { readonly caller: Caller; readonly key: string },
  ): Promise<KeyView & { readonly tickets: readonly TicketView[] }>;
}
