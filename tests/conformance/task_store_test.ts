import { createMemoryTaskStore } from "../../src/tasks/mod.ts";
import { createTaskStore } from "../../src/storage/mod.ts";
import { databaseKinds, testDatabase } from "../support/test_database.ts";
import { taskStoreConformance } from "./task_store.ts";

taskStoreConformance(
  "memory",
  () => Promise.resolve({ store: createMemoryTaskStore(), close: () => Promise.resolve() }),
);

for (const kind of await databaseKinds()) {
  taskStoreConformance(kind, async () => {
    const { db, drop } = await testDatabase(kind);
    return { store: createTaskStore(db), close: drop };
  });
}
