import { createEventLog } from "../../src/storage/event_log.ts";
import type { StoredEventLog } from "../../src/storage/event_log.ts";
import { acquireLease } from "../../src/storage/lease.ts";
import { createHistoryStore } from "../../src/storage/history_store.ts";
import { createLogStore } from "../../src/storage/log_store.ts";
import { createPlanStore } from "../../src/storage/plan_store.ts";
import { databaseKinds, testDatabase } from "../support/test_database.ts";
import type { DatabaseKind } from "../support/test_database.ts";
import { eventLogConformance } from "./event_log.ts";
import type { LogWorld } from "./event_log.ts";
import { historyStoreConformance } from "./history_store.ts";
import { logStoreConformance } from "./log_store.ts";
import { createFlowStore } from "../../src/storage/flow_store.ts";
import { flowStoreConformance } from "./flow_store.ts";
import type { FlowWorld } from "./flow_store.ts";
import { COUNTS, RunScript } from "./fixtures.ts";
import { ownershipConformance } from "./ownership.ts";
import { planStoreConformance } from "./plan_store.ts";

async function storageWorld(kind: DatabaseKind): Promise<LogWorld> {
  const { db, drop } = await testDatabase(kind);
  const logs: StoredEventLog[] = [];
  return {
    acquire: (hubId, ttlMs = 60_000) => acquireLease(db, { hubId, ttlMs }),
    log: (lease) => {
      const log = createEventLog(db, lease);
      logs.push(log);
      return log;
    },
    expire: async (hubId) => {
      await db.query("update hubs set lease_until = clock_timestamp() - interval '1 second' where id = $1", [hubId]);
    },
    close: async () => {
      for (const log of logs) await log.close();
      await drop();
    },
  };
}

async function flowWorld(kind: DatabaseKind): Promise<FlowWorld> {
  const { db, drop } = await testDatabase(kind);
  const lease = await acquireLease(db, { hubId: "runs", ttlMs: 60_000 });
  const log = createEventLog(db, lease);
  return {
    store: createFlowStore(db),
    hub: (hubId) => acquireLease(db, { hubId, ttlMs: 60_000 }),
    begin: async (runIds) => {
      const [created] = new RunScript().created().events;
      await log.commit(runIds.map((runId) => ({ ...created!, runId })));
    },
    end: async (runId) => {
      await log.commit([{ runId, seq: 2, at: 2, type: "run.aborted", reason: "no", by: "me", counts: COUNTS }]);
    },
    // The database's clock cannot be set: this is the one place that waits for real.
    pass: (ms) => db.query("select pg_sleep($1)", [ms / 1000]).then(() => {}),
    close: async () => {
      await log.close();
      await drop();
    },
  };
}

for (const kind of await databaseKinds()) {
  eventLogConformance(kind, () => storageWorld(kind));
  ownershipConformance(kind, () => storageWorld(kind));
  logStoreConformance(kind, async () => {
    const { db, drop } = await testDatabase(kind);
    return { store: createLogStore(db), close: drop };
  });
  flowStoreConformance(kind, () => flowWorld(kind));
  historyStoreConformance(kind, async () => {
    const { db, drop } = await testDatabase(kind);
    return { store: createHistoryStore(db), close: drop };
  });
  planStoreConformance(kind, async () => {
    const { db, drop } = await testDatabase(kind);
    return { store: createPlanStore(db), again: () => createPlanStore(db), close: drop };
  });
}
