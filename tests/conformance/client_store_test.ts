import { createMemoryClientStore } from "../../src/clients/mod.ts";
import { createClientStore } from "../../src/storage/mod.ts";
import { databaseKinds, testDatabase } from "../support/test_database.ts";
import { clientStoreConformance } from "./client_store.ts";

clientStoreConformance(
  "memory",
  () => Promise.resolve({ store: createMemoryClientStore(), close: () => Promise.resolve() }),
);

for (const kind of await databaseKinds()) {
  clientStoreConformance(kind, async () => {
    const { db, drop } = await testDatabase(kind);
    return { store: createClientStore(db), close: drop };
  });
}
