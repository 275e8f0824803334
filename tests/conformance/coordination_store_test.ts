import { createMemoryCoordinationStore } from "../../src/coordination/mod.ts";
import { createCoordinationStore } from "../../src/storage/mod.ts";
import { ensureOrganization } from "../../src/storage/organization_store.ts";
import { databaseKinds, testDatabase } from "../support/test_database.ts";
import { coordinationStoreConformance } from "./coordination_store.ts";

coordinationStoreConformance(
  "memory",
  () => Promise.resolve({ store: createMemoryCoordinationStore(), close: () => Promise.resolve() }),
);
for (const kind of await databaseKinds()) {
  coordinationStoreConformance(kind, async () => {
    const { db, drop } = await testDatabase(kind);
    await ensureOrganization(db, "a");
    return { store: createCoordinationStore(db), close: drop };
  });
}
