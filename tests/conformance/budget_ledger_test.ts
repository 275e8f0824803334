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
    // Other hubs' own pools, where there can be any.
    const others = url === null ? [] : Array.from({ length: 3 }, () => openPostgres({ url }));
    return {
      ledgers: [db, ...others, db].map(createBudgetLedger),
      close: async () => {
        for (const other of others) await other.close();
        await drop();
      },
    };
  });
}
