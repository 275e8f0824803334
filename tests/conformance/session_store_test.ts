import { MemorySessionStore } from "../../src/sessions/mod.ts";
import { createSessionStore } from "../../src/storage/mod.ts";
import { databaseKinds, testDatabase } from "../support/test_database.ts";
import { sessionStoreConformance } from "./session_store.ts";

sessionStoreConformance(
  "memory",
  () => Promise.resolve({ store: new MemorySessionStore(), close: () => Promise.resolve() }),
);

for (const kind of await databaseKinds()) {
  sessionStoreConformance(kind, async () => {
    const { db, drop } = await testDatabase(kind);
    return { store: createSessionStore(db), close: drop };
  });
}
