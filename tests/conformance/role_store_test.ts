import { createMemoryRoleStore } from "../../src/roles/mod.ts";
import { createRoleStore } from "../../src/storage/mod.ts";
import { databaseKinds, testDatabase } from "../support/test_database.ts";
import { roleStoreConformance } from "./role_store.ts";

roleStoreConformance(
  "memory",
  () => Promise.resolve({ store: createMemoryRoleStore(), close: () => Promise.resolve() }),
);

for (const kind of await databaseKinds()) {
  roleStoreConformance(kind, async () => {
    const { db, drop } = await testDatabase(kind);
    return { store: createRoleStore(db), close: drop };
  });
}
