import { acquireMemoryLease, createMemoryLog, createMemoryPlanStore, MemoryStore } from "../../engine/memory/mod.ts";
import { eventLogConformance } from "./event_log.ts";
import { createMemoryLogStore } from "../../src/sight/mod.ts";
import { logStoreConformance } from "./log_store.ts";
import { ownershipConformance } from "./ownership.ts";
import { planStoreConformance } from "./plan_store.ts";

const world = () => {
  const store = new MemoryStore();
  return Promise.resolve({
    acquire: (hubId: string, ttlMs: number = 60_000) =>
      Promise.resolve(acquireMemoryLease(store, { hubId, ttlMs, now: () => 1 })),
    log: (lease: { readonly hubId: string; readonly epoch: number }) => createMemoryLog(store, lease),
    expire: (hubId: string) => {
      const hub = store.hubs.get(hubId);
      if (hub !== undefined) hub.until = 0;
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  });
};

eventLogConformance("memory", world);
ownershipConformance("memory", world);
planStoreConformance("memory", () => {
  const store = new MemoryStore();
  const again = () => createMemoryPlanStore(store);
  return Promise.resolve({ store: again(), again, close: () => Promise.resolve() });
});

logStoreConformance("memory", () => Promise.resolve({ store: createMemoryLogStore(), close: () => Promise.resolve() }));
