import { acquireMemoryLease, createMemoryLog, createMemoryPlanStore, MemoryStore } from "../../engine/memory/mod.ts";
import { eventLogConformance } from "./event_log.ts";
import { createMemoryHistoryStore, createMemoryLogStore } from "../../src/sight/mod.ts";
import { historyStoreConformance } from "./history_store.ts";
import { logStoreConformance } from "./log_store.ts";
import { MemoryFlowStore } from "../../src/flow/memory_flow_store.ts";
import { flowStoreConformance } from "./flow_store.ts";
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
flowStoreConformance("memory", () => {
  const live = new Set<string>();
  const over = new Set<string>();
  const epochs = new Map<string, number>();
  let now = 1_000;
  const store = new MemoryFlowStore({
    now: () => now,
    stateOf: (runId) => live.has(runId) ? "live" : over.has(runId) ? "over" : "unknown",
    isHub: ({ hubId, epoch }) => epochs.get(hubId) === epoch,
  });
  return Promise.resolve({
    store,
    hub: (hubId: string) => {
      const epoch = (epochs.get(hubId) ?? 0) + 1;
      epochs.set(hubId, epoch);
      return Promise.resolve({ hubId, epoch });
    },
    begin: (runIds: readonly string[]) => {
      for (const runId of runIds) live.add(runId);
      return Promise.resolve();
    },
    end: (runId: string) => {
      live.delete(runId);
      over.add(runId);
      return Promise.resolve();
    },
    pass: (ms: number) => {
      now += ms;
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  });
});
historyStoreConformance(
  "memory",
  () => Promise.resolve({ store: createMemoryHistoryStore(), close: () => Promise.resolve() }),
);
