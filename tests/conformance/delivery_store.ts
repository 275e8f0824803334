import assert from "node:assert/strict";
import type { CallFailed } from "../../engine/events.ts";
import { newDelivery } from "../../src/triggers/mod.ts";
import type { DeliveryStore, EventRef, OutboundLog, PlacedEvent, WebhookStore } from "../../src/triggers/mod.ts";
import { webhookRecord } from "./webhook_store.ts";

/** A place for what goes out, with a way to put runs and events into its log. */
export interface OutboundWorld {
  readonly deliveries: DeliveryStore;
  readonly webhooks: WebhookStore;
  readonly log: OutboundLog;
  addRun(id: string, run: { readonly orgId: string; readonly createdAt: number }): Promise<void>;
  /** A terminal event ends its run. */
  addEvent(event: EventRef): Promise<void>;
  addCallError(
    event: CallFailed & { readonly runId: string; readonly seq: number; readonly at: number },
  ): Promise<void>;
  close(): Promise<void>;
}

const uuid = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`;
const TYPES = ["run.completed", "run.paused"];

function placed(run: number, seq: number, at = 1_000): PlacedEvent {
  return { runId: uuid(run), seq, type: "run.paused", at, orgId: "default", workflow: "w", labels: {} };
}

/** What every {@linkcode DeliveryStore} and {@linkcode OutboundLog} do. */
export function outboundConformance(name: string, create: () => Promise<OutboundWorld>): void {
  const test = (title: string, body: (world: OutboundWorld) => Promise<void>) =>
    Deno.test(`${name}: ${title}`, async () => {
      const world = await create();
      try {
        await body(world);
      } finally {
        await world.close();
      }
    });

  test("DeliveryStore keeps one delivery an event and webhook, and pages through them", async ({ deliveries, webhooks }) => {
    const hook = webhookRecord();
    await webhooks.create(hook);
    const events = [1, 2, 3].map((seq) => placed(1, seq));
    await deliveries.enqueue(events.map((event) => newDelivery(hook.id, event, 1_000 + event.seq)));
    await deliveries.enqueue(events.map((event) => newDelivery(hook.id, event, 9_000)));
    await deliveries.enqueue([]);
    const first = await deliveries.list({ webhookId: hook.id, limit: 2 });
    assert.deepEqual(first.items.map(({ seq }) => seq), [3, 2]);
    assert.deepEqual(first.items[0], newDelivery(hook.id, events[2]!, 1_003));
    const second = await deliveries.list({ webhookId: hook.id, limit: 2, cursor: first.nextCursor! });
    assert.deepEqual([second.items.map(({ seq }) => seq), second.nextCursor], [[1], null]);
    assert.deepEqual((await deliveries.list({ webhookId: hook.id, status: "dead", limit: 2 })).items, []);
  });

  test("DeliveryStore.claimDue() gives each run's earliest to one at a time", async ({ deliveries, webhooks }) => {
    const [hook, other] = [webhookRecord(), webhookRecord()];
    await webhooks.create(hook);
    await webhooks.create(other);
    const queued = [placed(1, 2), placed(1, 5), placed(2, 3)].map((event) => newDelivery(hook.id, event, 1_000));
    await deliveries.enqueue([...queued, newDelivery(other.id, placed(1, 5), 1_000)]);
    const claim = async (now: number, except: readonly string[] = []) =>
      (await deliveries.claimDue({ now, claimMs: 100, limit: 10, except })).map(({ webhookId, runId, seq }) =>
        `${webhookId === hook.id ? "hook" : "other"} ${Number(runId.slice(-3))}.${seq}`
      ).sort();
    assert.deepEqual(await claim(999), []);
    assert.deepEqual(await claim(1_000, [hook.id]), ["other 1.5"]);
    const both = await Promise.all([claim(1_000), claim(1_000)]);
    assert.deepEqual(both.flat().sort(), ["hook 1.2", "hook 2.3"]);
    assert.deepEqual(await claim(1_099), []);
    assert.deepEqual(await claim(1_100), ["hook 1.2", "hook 2.3", "other 1.5"]);
    await deliveries.settle({ ...queued[0]!, status: "delivered", attempts: 1, lastStatus: 200, deliveredAt: 1_150 });
    await deliveries.settle({ ...queued[2]!, attempts: 1, nextAt: 5_000, lastError: "x\u0000" });
    assert.deepEqual(await claim(1_150), ["hook 1.5"]);
    assert.deepEqual(await claim(5_000), ["hook 1.5", "hook 2.3", "other 1.5"]);
    const delivered = await deliveries.list({ webhookId: hook.id, status: "delivered", limit: 9 });
    assert.deepEqual(delivered.items.map(({ lastStatus, deliveredAt }) => [lastStatus, deliveredAt]), [[200, 1_150]]);
    const again = await deliveries.again({ webhookId: hook.id, id: queued[0]!.id, now: 6_000, giveUpAt: 7_000 });
    assert.deepEqual([again?.status, again?.nextAt, again?.giveUpAt], ["pending", 6_000, 7_000]);
    assert.deepEqual(await claim(6_000), ["hook 1.2", "hook 2.3", "other 1.5"]);
    await deliveries.again({ webhookId: hook.id, id: queued[0]!.id, now: 6_000, giveUpAt: 7_000 });
    assert.deepEqual(await claim(6_000), ["hook 1.2"]);
    assert.equal(await deliveries.again({ webhookId: other.id, id: queued[0]!.id, now: 1, giveUpAt: 1 }), null);
  });

  test("DeliveryStore.prune() forgets what is over and old", async ({ deliveries, webhooks }) => {
    const hook = webhookRecord();
    await webhooks.create(hook);
    const [old, pending, young] = [placed(1, 1), placed(2, 1), placed(3, 1)].map((event, index) =>
      newDelivery(hook.id, event, index === 2 ? 9_000 : 1_000)
    );
    await deliveries.enqueue([old!, pending!, young!]);
    await deliveries.settle({ ...old!, status: "dead" });
    await deliveries.settle({ ...young!, status: "delivered" });
    await deliveries.prune({ before: 5_000 });
    const left = (await deliveries.list({ webhookId: hook.id, limit: 9 })).items.map(({ id }) => id);
    assert.deepEqual(left.sort(), [pending!.id, young!.id].sort());
  });

  test("OutboundLog gives the last error of a call as node.failed, and no other error", async (world) => {
    const head = { runId: uuid(1), at: 1_500 } as const;
    await world.addRun(uuid(1), { orgId: "default", createdAt: 1_000 });
    const error = { code: "FLAKY", message: `"retryAt":null}`, details: { retryAt: null } };
    const call = { ...head, type: "call.error", key: "a", requestId: uuid(7), error } as const;
    await world.addCallError({ ...call, seq: 3, attempt: 1, retryAt: 9_000 });
    await world.addCallError({ ...call, seq: 5, attempt: 2, retryAt: null });
    await world.addEvent({ ...head, seq: 6, type: "node.failed" });
    const found = async (types: readonly string[]) =>
      (await world.log.events({ orgIds: ["default"], types, since: 0, after: null, limit: 9 }))
        .map(({ seq, type }) => `${seq} ${type}`);
    assert.deepEqual(await found(["node.failed"]), ["5 node.failed", "6 node.failed"]);
    assert.deepEqual(await found(["run.failed"]), []);
  });

  test("OutboundLog gives events of watched and of new runs, page by page, and forgets ended ones", async (world) => {
    const { log } = world;
    const events = async (since: number, limit = 100) => {
      const all: string[] = [];
      for (let after: EventRef | null = null;;) {
        const page = await log.events({ orgIds: ["default"], types: TYPES, since, after, limit });
        all.push(...page.map(({ runId, seq }) => `${Number(runId.slice(-3))}.${seq}`));
        after = page.at(-1) ?? null;
        if (page.length < limit) return all;
      }
    };
    await world.addRun(uuid(1), { orgId: "default", createdAt: 1_000 });
    await world.addRun(uuid(2), { orgId: "other", createdAt: 1_000 });
    await world.addRun(uuid(3), { orgId: "default", createdAt: 1_000 });
    await world.addEvent({ runId: uuid(3), seq: 2, type: "run.completed", at: 1_500 });
    const first = await log.beginScan({ now: 2_000, everyMs: 0 });
    assert.deepEqual(first, { startedAt: 2_000, since: null, ended: [] });
    assert.equal(await log.beginScan({ now: 2_500, everyMs: 1_000 }), null);
    assert.deepEqual(await events(1_000, 1), ["3.2"]);
    await log.endScan({ scan: first!, orgIds: ["default"] });
    await world.addEvent({ runId: uuid(1), seq: 2, type: "run.paused", at: 90_000 });
    await world.addEvent({ runId: uuid(1), seq: 3, type: "signal.awaited", at: 91_000 });
    await world.addEvent({ runId: uuid(2), seq: 2, type: "run.paused", at: 90_000 });
    await world.addEvent({ runId: uuid(1), seq: 4, type: "run.completed", at: 92_000 });
    await world.addRun(uuid(4), { orgId: "default", createdAt: 80_000 });
    await world.addEvent({ runId: uuid(4), seq: 2, type: "run.completed", at: 80_000 });
    assert.deepEqual(await events(2_000), ["1.2", "1.4", "4.2"]);
    assert.deepEqual(await events(85_000, 1), ["1.2", "1.4"]);
    const second = await log.beginScan({ now: 100_000, everyMs: 1_000 });
    assert.deepEqual(second, { startedAt: 100_000, since: 2_000, ended: [uuid(1)] });
    await log.endScan({ scan: second!, orgIds: ["default"] });
    assert.deepEqual(await events(85_000), []);
    const found = await log.events({ orgIds: ["default"], types: TYPES, since: 79_000, after: null, limit: 1 });
    assert.deepEqual(found, [{
      runId: uuid(4),
      seq: 2,
      type: "run.completed",
      at: 80_000,
      orgId: "default",
      workflow: "w",
      labels: { a: "b" },
    }]);
    const refs = [{ runId: uuid(4), seq: 9, type: "run.paused", at: 1 }, { ...placed(9, 1), at: 1 }] as const;
    assert.deepEqual(await log.place(refs), [{ ...refs[0], orgId: "default", workflow: "w", labels: { a: "b" } }]);
  });
}
