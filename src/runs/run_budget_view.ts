import type { EventOf } from "../../engine/mod.ts";

/** Amounts of a run's budget as the ledger has them. */
export interface BudgetUse {
  readonly limits: { readonly [Kind in Counted]: number | null };
  readonly spent: { readonly [Kind in Counted]: number };
  readonly reserved: { readonly [Kind in Counted]: number };
}

/** Reads the ledger; null: nothing was charged yet. */
export type BudgetReader = (params: { readonly orgId: string; readonly runId: string }) => Promise<BudgetUse | null>;

type Counted = "calls" | "tokens" | "costMicros";

/** How much of one limit is used. */
export interface LimitUse {
  readonly limit: number;
  readonly spent: number;
  readonly reserved: number;
}

/** A run's own budget: an entry for each kind that is limited. */
export interface RunBudgetView {
  readonly calls?: LimitUse;
  readonly tokens?: LimitUse;
  readonly costMicros?: LimitUse;
  /** Ms since the start. */
  readonly wallMs?: LimitUse;
  readonly depth?: { readonly limit: number };
}

const COUNTED = ["calls", "tokens", "costMicros"] as const;

/** @param until Ms epoch: when the run ended, or now. */
export function budgetViewOf(
  params: {
    readonly created: EventOf<"run.created">;
    readonly use: BudgetUse | null;
    readonly until: number;
  },
): RunBudgetView | null {
  const { created, use, until } = params;
  const own = created.budget?.own ?? null;
  if (own === null) return null;
  const view: { -readonly [Kind in keyof RunBudgetView]: RunBudgetView[Kind] } = {};
  for (const kind of COUNTED) {
    const limit = use === null ? own.limits[kind] : use.limits[kind];
    if (limit == null) continue;
    view[kind] = { limit, spent: use?.spent[kind] ?? 0, reserved: use?.reserved[kind] ?? 0 };
  }
  const { wallMs, depth } = own.limits;
  if (wallMs !== undefined) {
    view.wallMs = { limit: wallMs, spent: Math.min(wallMs, Math.max(0, until - created.at)), reserved: 0 };
  }
  if (depth !== undefined) view.depth = { limit: depth };
  return view;
}
