import { createScheduleStore, createWebhookStore } from "../../src/storage/mod.ts";
import { createMemoryScheduleStore, createMemoryWebhookStore } from "../../src/triggers/mod.ts";
import { databaseKinds, testDatabase } from "../support/test_database.ts";
import { scheduleStoreConformance } from "./schedule_store.ts";
import { webhookStoreConformance } from "./webhook_store.ts";

const nothing = () => Promise.resolve();

scheduleStoreConformance("memory", () => Promise.resolve({ store: createMemoryScheduleStore(), close: nothing }));
webhookStoreConformance("memory", () => Promise.resolve({ store: createMemoryWebhookStore(), close: nothing }));

for (const kind of await databaseKinds()) {
  scheduleStoreConformance(kind, async () => {
    const { db, drop } = await testDatabase(kind);
    return { store: createScheduleStore(db), close: drop };
  });
  webhookStoreConformance(kind, async () => {
    const { db, drop } = await testDatabase(kind);
    return { store: createWebhookStore(db), close: drop };
  });
}
