import type { BudgetLedger, ChargedHolder, HolderKind } from "../budgets/mod.ts";
import { FreshMap } from "./fresh_map.ts";

/** Finds which of some budgets limit anything, so that calls that nothing limits need not ask the ledger. */
export function limitingBudgets(
  ledger: Pick<BudgetLedger, "balance">,
  now: () => number,
): (orgId: string, holders: readonly ChargedHolder[]) => Promise<readonly ChargedHolder[]> {
  const fresh = new FreshMap<boolean>(async (key) => {
    const [orgId, kind, id]: [string, HolderKind, string] = JSON.parse(key);
    const balance = await ledger.balance({ orgId, kind, id });
    return balance !== null && Object.values(balance.limits).some((limit) => limit !== null);
  }, { now });
  return async (orgId, holders) => {
    const limits = await Promise.all(holders.map(({ kind, id }) => fresh.get(JSON.stringify([orgId, kind, id]))));
    return holders.filter((_, at) => limits[at]);
  };
}
