import { MemoryLedger } from "../../src/budgets/mod.ts";
import { createBudgetLedger, openPostgres } from "../../src/storage/mod.ts";
import { databaseKinds, testDatabase } from "../support/test_database.ts";
import { budgetLedgerConformance } from "./budget_ledger.ts";

budgetLedgerConformance("memory", () => {
  const ledger = new MemoryLedger();
  return Promise.resolve({ ledgers: [ledger, ledger], close: () => Promise.resolve() });
});

for (const kind of await databaseKinds()) {
  budgetLedgerConformance(kind, async () => {
    const { db, url, drop } = await testDatabase(kind);
    // A second hub's own pool, where there can be one.
    const second = url === null ? db : openPostgres({ url });
    return {
      ledgers: [createBudgetLedger(db), createBudgetLedger(second)],
      close: async () => {
        if (second !== db) await second.close();
        await drop();
      },
    };
  });
}
