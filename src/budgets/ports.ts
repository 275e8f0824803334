/** What may be used, by whom, and how much of it has been. Amounts are whole numbers of 0 or more. */

/** Who may hold a budget. What a run uses is charged to it and to all runs above it. */
export type HolderKind = "run" | "key" | "org" | "session";

/** What is counted. */
export interface Amounts {
  /** Calls of nodes. */
  readonly calls: number;
  /** In and out. */
  readonly tokens: number;
  /** Millionths of a currency unit. */
  readonly costMicros: number;
}

/** Null: not limited. */
export type AmountLimits = { readonly [Kind in keyof Amounts]: Amounts[Kind] | null };

export interface Holder {
  readonly kind: HolderKind;
  readonly id: string;
}

/** Whom a budget is found by. */
export type HolderName = Pick<ChargedHolder, "kind" | "id">;

/** A holder that a reservation names: its budget is made with these limits (default: none) unless there is one already. */
export interface ChargedHolder {
  /** `minute`: a limit for one minute, which `id` names. It is nobody's budget, and not listed. */
  readonly kind: HolderKind | "minute";
  readonly id: string;
  readonly limits?: Partial<AmountLimits>;
}

/** A piece of work that is to be paid for. */
export interface Charge {
  readonly orgId: string;
  /** Unique in the organization; a call's is its request id, so that a call sent again finds its reservation. */
  readonly id: string;
  /** All whose budgets it must fit; empty: it is only counted. */
  readonly holders: readonly ChargedHolder[];
  readonly amounts: Amounts;
  /** Null: not part of a run. */
  readonly runId: string | null;
  readonly workflow: string | null;
  readonly operationId: string;
  readonly identityId: string;
  /** Ms epoch after which it counts as spent, if nobody has settled it; null: it lasts as long as its call. */
  readonly expiresAt: number | null;
}

/** Which budget a reservation did not fit. */
export interface Refusal extends HolderName {
  readonly which: keyof Amounts;
  readonly limit: number;
  readonly spent: number;
  readonly reserved: number;
  readonly wanted: number;
}

/** `state`: `settled` when a call that has been paid for is sent again. */
export type Reservation =
  | { readonly refused: null; readonly state: "reserved" | "settled" }
  | { readonly refused: Refusal };

export interface Balance {
  readonly limits: AmountLimits;
  readonly spent: Amounts;
  readonly reserved: Amounts;
}

export interface ChargeKey {
  readonly orgId: string;
  readonly id: string;
}

/**
 * Reserved before, settled after. Everything is durable when it resolves, exact whatever hubs ask at once, and may be asked
 * again after a lost answer.
 *
 * - L1 What a budget has spent and reserved never passes its limits by a reservation. (A settlement that says more than was
 *   reserved is believed: the budget is then passed, and refuses everything.)
 * - L2 A reservation is made in all its budgets or in none.
 * - L3 Spent is the sum of the settled charges, reserved that of the reserved ones; neither is ever negative.
 */
export interface BudgetLedger {
  reserve(charge: Charge): Promise<Reservation>;
  /** Makes a reservation as large as `upTo` where it is smaller. @returns null, or the budget it does not fit: nothing changed */
  raise(params: ChargeKey & { readonly upTo: Partial<Amounts> }): Promise<Refusal | null>;
  /** Turns a reservation into what was spent; amounts not given: as reserved. False: there is none that is not settled. */
  settle(
    params: ChargeKey & {
      readonly spent: Partial<Amounts>; /** Absent or null: not known. */
      readonly model?: string | null;
    },
  ): Promise<boolean>;
  /** Gives a reservation back: nothing was done. False: there is none that is not settled. */
  release(params: ChargeKey): Promise<boolean>;
  /** Counts what was spent without a budget, once. */
  record(charge: Omit<Charge, "holders" | "expiresAt"> & { readonly model?: string | null }): Promise<void>;
  /** Null: no budget, or none that anything was charged to. */
  balance(params: HolderName & { readonly orgId: string }): Promise<Balance | null>;
  /** Limits from now on; what is spent stays. Makes the budget where there is none. */
  setLimits(params: HolderName & { readonly orgId: string; readonly limits: Partial<AmountLimits> }): Promise<Balance>;
}

/** A budget with its holder. */
export interface BudgetRecord extends Holder, Balance {
  /** Ms epoch. */
  readonly createdAt: number;
}

/** By what usage is summed: `key` is the identity that a key stands for, `model` what was asked, as `<provider>/<model>`. */
export type UsageGroup = "workflow" | "operation" | "run" | "key" | "model";

export interface UsageRow extends Amounts {
  /** Workflow, operation, run, identity or model; null: of none. */
  readonly group: string | null;
}

/** Reads for people. Bound to one organization. */
export interface BudgetBook {
  /** Newest first. */
  list(
    params: {
      readonly orgId: string;
      readonly kind?: HolderKind;
      readonly limit: number;
      readonly cursor?: string;
    },
  ): Promise<{ readonly items: readonly BudgetRecord[]; readonly nextCursor: string | null }>;
  /** Settled amounts from `since` on (ms epoch), largest cost first, then tokens, then calls. At most `limit` rows. */
  usage(
    params: {
      readonly orgId: string;
      readonly by: UsageGroup;
      readonly since: number;
      readonly until?: number;
      readonly limit: number;
    },
  ): Promise<readonly UsageRow[]>;
}

/** A reservation whose call is over, and what its log says was used. */
export interface Leftover extends ChargeKey {
  /** Null: nothing is known. */
  readonly usage: Partial<Amounts> | null;
}

/** Finds what a crash has left behind. */
export interface Leftovers {
  /** Reservations whose call has an outcome, whose run has ended, or whose time is over. */
  find(limit: number): Promise<readonly Leftover[]>;
}
