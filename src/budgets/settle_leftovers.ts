import type { BudgetLedger, Leftovers } from "./ports.ts";

const BATCH = 500;

/**
 * Settles reservations whose call is over and that nobody settled, as a crash leaves them: with what the log says was used, else
 * as reserved. Gives how many.
 */
export async function settleLeftovers(
  { ledger, leftovers }: { readonly ledger: BudgetLedger; readonly leftovers: Leftovers },
): Promise<number> {
  let settled = 0;
  for (;;) {
    const found = await leftovers.find(BATCH);
    const done = await Promise.all(
      found.map(({ orgId, id, usage }) => ledger.settle({ orgId, id, spent: usage ?? {} })),
    );
    settled += done.filter(Boolean).length;
    if (found.length < BATCH || !done.includes(true)) return settled;
  }
}
