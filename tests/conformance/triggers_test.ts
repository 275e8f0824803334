import {
  createDeliveryStore,
  createOutboundLog,
  createScheduleStore,
  createWebhookStore,
} from "../../src/storage/mod.ts";
import {
  createMemoryDeliveryStore,
  createMemoryScheduleStore,
  createMemoryWebhookStore,
  MemoryOutboundLog,
} from "../../src/triggers/mod.ts";
import { encodeBody } from "../../src/storage/event_body.ts";
import { type DatabaseKind, databaseKinds, testDatabase } from "../support/test_database.ts";
import { outboundConformance, type OutboundWorld } from "./delivery_store.ts";
import { scheduleStoreConformance } from "./schedule_store.ts";
import { webhookStoreConformance } from "./webhook_store.ts";

const nothing = () => Promise.resolve();

scheduleStoreConformance("memory", () => Promise.resolve({ store: createMemoryScheduleStore(), close: nothing }));
webhookStoreConformance("memory", () => Promise.resolve({ store: createMemoryWebhookStore(), close: nothing }));

outboundConformance("memory", () => {
  const log = new MemoryOutboundLog();
  const run = { workflow: "w", labels: { a: "b" } };
  return Promise.resolve({
    deliveries: createMemoryDeliveryStore(),
    webhooks: createMemoryWebhookStore(),
    log,
    addRun: (id, more) => Promise.resolve(log.addRun(id, { ...run, ...more })),
    addEvent: (event) => Promise.resolve(log.addEvent(event)),
    addCallError({ runId, seq, at, retryAt }) {
      if (retryAt === null) log.addEvent({ runId, seq, at, type: "node.failed" });
      return Promise.resolve();
    },
    close: nothing,
  });
});

async function storedOutbound(kind: DatabaseKind): Promise<OutboundWorld> {
  const { db, drop } = await testDatabase(kind);
  const iso = (ms: number) => new Date(ms).toISOString();
  return {
    deliveries: createDeliveryStore(db),
    webhooks: createWebhookStore(db),
    log: createOutboundLog(db),
    async addRun(id, { orgId, createdAt }) {
      await db.query(
        `insert into runs (id, created_at, priority, status, org_id, workflow, version, plan_hash, labels)
         values ($1, $2, 0, 'running', $3, 'w', 'v', 'h', '{"a": "b"}')`,
        [id, iso(createdAt), orgId],
      );
      await db.query("insert into live_runs (run_id, epoch, hub_id) values ($1, 1, 'h')", [id]);
    },
    async addEvent({ runId, seq, type, at }) {
      await db.query("insert into run_events (run_id, at, seq, type, body) values ($1, $2, $3, $4, '{}')", [
        runId,
        iso(at),
        seq,
        type,
      ]);
      if (type === "run.completed") await db.query("delete from live_runs where run_id = $1", [runId]);
    },
    async addCallError(event) {
      await db.query(
        "insert into run_events (run_id, at, seq, type, node_key, request_id, body) values ($1, $2, $3, $4, $5, $6, $7)",
        [event.runId, iso(event.at), event.seq, event.type, event.key, event.requestId, encodeBody(event)],
      );
    },
    close: drop,
  };
}

for (const kind of await databaseKinds()) {
  scheduleStoreConformance(kind, async () => {
    const { db, drop } = await testDatabase(kind);
    return { store: createScheduleStore(db), close: drop };
  });
  webhookStoreConformance(kind, async () => {
    const { db, drop } = await testDatabase(kind);
    return { store: createWebhookStore(db), close: drop };
  });
  outboundConformance(kind, () => storedOutbound(kind));
}
