import type {
  AmountLimits,
  Amounts,
  Balance,
  BudgetBook,
  BudgetLedger,
  BudgetRecord,
  Charge,
  ChargedHolder,
  ChargeKey,
  HolderName,
  Refusal,
  Reservation,
  UsageRow,
} from "./ports.ts";

const NONE: Amounts = { calls: 0, tokens: 0, costMicros: 0 };
const UNLIMITED: AmountLimits = { calls: null, tokens: null, costMicros: null };
const KINDS = ["calls", "tokens", "costMicros"] as const;

interface Budget {
  readonly orgId: string;
  readonly holder: HolderName;
  readonly createdAt: number;
  limits: AmountLimits;
  spent: Amounts;
  reserved: Amounts;
}

interface Entry {
  readonly charge: Charge;
  readonly at: number;
  state: "reserved" | "settled" | "released";
  amounts: Amounts;
  /** Null: not known. */
  model: string | null;
}

/** The reference ledger: what several hubs in one process may share. `now` is ms since the epoch. */
export class MemoryLedger implements BudgetLedger, BudgetBook {
  readonly #now: () => number;
  readonly #budgets: Map<string, Budget> = new Map();
  readonly #charges: Map<string, Entry> = new Map();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  reserve(charge: Charge): Promise<Reservation> {
    const known = this.#charges.get(keyOf(charge));
    if (known !== undefined && known.state !== "released") {
      return Promise.resolve({ refused: null, state: known.state });
    }
    const budgets = charge.holders.map((holder) => this.#budget(charge.orgId, holder));
    const refused = firstRefusal(budgets, charge.amounts);
    if (refused !== null) return Promise.resolve({ refused });
    for (const budget of budgets) budget.reserved = add(budget.reserved, charge.amounts);
    this.#charges.set(keyOf(charge), {
      charge,
      at: this.#now(),
      state: "reserved",
      amounts: charge.amounts,
      model: null,
    });
    return Promise.resolve({ refused: null, state: "reserved" });
  }

  raise({ upTo, ...key }: ChargeKey & { readonly upTo: Partial<Amounts> }): Promise<Refusal | null> {
    const entry = this.#open(key);
    if (entry === null) return Promise.resolve(null);
    const more = each((kind) => Math.max(0, (upTo[kind] ?? 0) - entry.amounts[kind]));
    const budgets = entry.charge.holders.map((holder) => this.#budget(key.orgId, holder));
    const refused = firstRefusal(budgets, more);
    if (refused !== null) return Promise.resolve(refused);
    for (const budget of budgets) budget.reserved = add(budget.reserved, more);
    entry.amounts = add(entry.amounts, more);
    return Promise.resolve(null);
  }

  settle({ spent, model = null, ...key }: Parameters<BudgetLedger["settle"]>[0]): Promise<boolean> {
    const entry = this.#open(key);
    if (entry === null) return Promise.resolve(false);
    this.#close(entry, { ...entry.amounts, ...spent });
    entry.state = "settled";
    entry.model = model;
    return Promise.resolve(true);
  }

  release(key: ChargeKey): Promise<boolean> {
    const entry = this.#open(key);
    if (entry === null) return Promise.resolve(false);
    this.#close(entry, NONE);
    entry.state = "released";
    return Promise.resolve(true);
  }

  record({ model = null, ...charge }: Parameters<BudgetLedger["record"]>[0]): Promise<void> {
    const whole: Charge = { ...charge, holders: [], expiresAt: null };
    if (!this.#charges.has(keyOf(charge))) {
      this.#charges.set(keyOf(charge), {
        charge: whole,
        at: this.#now(),
        state: "settled",
        amounts: charge.amounts,
        model,
      });
    }
    return Promise.resolve();
  }

  balance({ orgId, kind, id }: HolderName & { readonly orgId: string }): Promise<Balance | null> {
    const found = this.#budgets.get(JSON.stringify([orgId, kind, id]));
    return Promise.resolve(found === undefined ? null : balanceOf(found));
  }

  setLimits(
    { orgId, kind, id, limits }: HolderName & { readonly orgId: string; readonly limits: Partial<AmountLimits> },
  ): Promise<Balance> {
    const budget = this.#budget(orgId, { kind, id });
    budget.limits = { ...UNLIMITED, ...limits };
    return Promise.resolve(balanceOf(budget));
  }

  list({ orgId, kind, limit, cursor }: Parameters<BudgetBook["list"]>[0]): ReturnType<BudgetBook["list"]> {
    const skip = cursor === undefined ? 0 : Number(cursor);
    const all = [...this.#budgets.values()].flatMap((one): readonly BudgetRecord[] => {
      const { holder, createdAt } = one;
      const { kind: of, id } = holder;
      const isListed = one.orgId === orgId && (kind === undefined || of === kind);
      return of === "minute" || !isListed ? [] : [{ kind: of, id, ...balanceOf(one), createdAt }];
    }).sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
    const items = all.slice(skip, skip + limit);
    return Promise.resolve({ items, nextCursor: all.length > skip + limit ? String(skip + limit) : null });
  }

  usage({ orgId, by, since, until, limit }: Parameters<BudgetBook["usage"]>[0]): Promise<readonly UsageRow[]> {
    const rows = new Map<string | null, UsageRow>();
    for (const { charge, at, state, amounts, model } of this.#charges.values()) {
      if (charge.orgId !== orgId || state !== "settled" || at < since || at >= (until ?? Infinity)) continue;
      const group = {
        workflow: charge.workflow,
        operation: charge.operationId,
        run: charge.runId,
        key: charge.identityId,
        model,
      }[by];
      rows.set(group, { group, ...add(rows.get(group) ?? NONE, amounts) });
    }
    return Promise.resolve(
      [...rows.values()]
        .sort((a, b) => b.costMicros - a.costMicros || b.tokens - a.tokens || b.calls - a.calls)
        .slice(0, limit),
    );
  }

  #open(key: ChargeKey): Entry | null {
    const entry = this.#charges.get(keyOf(key));
    return entry?.state === "reserved" ? entry : null;
  }

  #close(entry: Entry, spent: Amounts): void {
    for (const holder of entry.charge.holders) {
      const budget = this.#budget(entry.charge.orgId, holder);
      budget.reserved = each((kind) => budget.reserved[kind] - entry.amounts[kind]);
      budget.spent = add(budget.spent, spent);
    }
    entry.amounts = spent;
  }

  #budget(orgId: string, { kind, id, limits }: ChargedHolder): Budget {
    const key = JSON.stringify([orgId, kind, id]);
    let budget = this.#budgets.get(key);
    if (budget === undefined) {
      const createdAt = this.#now();
      budget = {
        orgId,
        holder: { kind, id },
        createdAt,
        limits: { ...UNLIMITED, ...limits },
        spent: NONE,
        reserved: NONE,
      };
      this.#budgets.set(key, budget);
    }
    return budget;
  }
}

function firstRefusal(budgets: readonly Budget[], wanted: Amounts): Refusal | null {
  for (const { holder, limits, spent, reserved } of budgets) {
    for (const which of KINDS) {
      const limit = limits[which];
      if (limit === null || spent[which] + reserved[which] + wanted[which] <= limit) continue;
      const of = { limit, spent: spent[which], reserved: reserved[which], wanted: wanted[which] };
      return { ...holder, which, ...of };
    }
  }
  return null;
}

function balanceOf({ limits, spent, reserved }: Budget): Balance {
  return { limits, spent, reserved };
}

function keyOf({ orgId, id }: ChargeKey): string {
  return JSON.stringify([orgId, id]);
}

function add(a: Amounts, b: Amounts): Amounts {
  return each((kind) => a[kind] + b[kind]);
}

function each(value: (kind: keyof Amounts) => number): Amounts {
  return { calls: value("calls"), tokens: value("tokens"), costMicros: value("costMicros") };
}
