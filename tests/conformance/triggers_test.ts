import { createScheduleStore } from "../../src/storage/mod.ts";
import { createMemoryScheduleStore } from "../../src/triggers/mod.ts";
import { databaseKinds, testDatabase } from "../support/test_database.ts";
import { scheduleStoreConformance } from "./schedule_store.ts";

const nothing = () => Promise.resolve();

scheduleStoreConformance("memory", () => Promise.resolve({ store: createMemoryScheduleStore(), close: nothing }));

for (const kind of await databaseKinds()) {
  scheduleStoreConformance(kind, async () => {
    const { db, drop } = await testDatabase(kind);
    return { store: createScheduleStore(db), close: drop };
  });
}
