import assert from "node:assert/strict";
import fc from "fast-check";
import { CallError } from "@alkdev/operations";
import { VirtualClock } from "../../../engine/memory/mod.ts";
import { generateKeyRing } from "../../crypto/mod.ts";
import type { Egress } from "../../egress/mod.ts";
import type { RunEvent } from "../../runs/mod.ts";
import { createOwnerKeys, type OwnedKey } from "../owner_keys.ts";
import { createDeliveries } from "./deliveries.ts";
import { Deliverer } from "./deliverer.ts";
import { createMemoryDeliveryStore } from "./memory_delivery_store.ts";
import { MemoryOutboundLog } from "./memory_outbound_log.ts";
import { createMemoryWebhookStore } from "./memory_webhook_store.ts";
import { Outbound } from "./outbound.ts";
import { verifySignature } from "./signature.ts";
import type { OutboundDefinition, OutboundEvent } from "./webhook.ts";
import { createWebhooks } from "./webhooks.ts";

interface Received {
  readonly id: string;
  readonly body: { readonly type: string; readonly data: Readonly<Record<string, unknown>> };
  readonly headers: Headers;
  readonly text: string;
}

/** Outbound webhooks over a log that is put together by hand, and a receiver that answers as told. */
function world() {
  const clock = new VirtualClock();
  const now = () => clock.now();
  const webhookStore = createMemoryWebhookStore();
  const deliveryStore = createMemoryDeliveryStore();
  const log = new MemoryOutboundLog();
  const keyRing = generateKeyRing();
  const keys = new Map<string, OwnedKey>([["k", { metadata: { scopes: ["*"] } }]]);
  const received: Received[] = [];
  const events = new Map<string, RunEvent[]>();
  const answers: (Response | Error)[] = [];
  const egress: Egress = {
    async fetch(request) {
      const text = await request.text();
      const { headers } = request;
      received.push({ id: headers.get("webhook-id") ?? "", body: JSON.parse(text), headers, text });
      const answer = answers.shift() ?? new Response("thanks");
      if (answer instanceof Error) throw answer;
      return answer;
    },
    bound: () => assert.fail("not used"),
    close: () => assert.fail("not used"),
  };
  const runs = {
    events: ({ runId, after = 0 }: { readonly runId: string; readonly after?: number }) => {
      const own = events.get(runId);
      if (own === undefined) return Promise.reject(new CallError("RUN_NOT_FOUND", "It is gone"));
      return Promise.resolve(own.filter(({ seq }) => seq > after).slice(0, 1));
    },
  };
  const onError = (error: unknown) => assert.fail(String(error));
  const options = { webhooks: webhookStore, deliveries: deliveryStore, clock, onError };
  const owners = createOwnerKeys({ find: (id) => Promise.resolve(keys.get(id) ?? null), now });
  const deliverer = () =>
    new Deliverer({ ...options, runs, owners, egress, keyRing, random: () => 0.5, mayWork: () => true });
  const hub = () => new Outbound({ ...options, log, onQueued: () => {} });
  const webhooks = createWebhooks({
    store: webhookStore,
    catalog: { get: () => assert.fail("not used") },
    keyRing,
    now,
  });
  const principal = { identity: { id: "ann", scopes: ["*"] }, orgId: "default", keyId: "k", keyName: null };
  const make = async (more: Partial<OutboundDefinition> = {}) => {
    const definition: OutboundDefinition = {
      kind: "outbound",
      name: "n",
      url: "https://receiver.test/",
      events: ["run.completed", "run.failed", "run.aborted", "run.paused", "signal.awaited"],
      ...more,
    };
    const { webhook, secret } = await webhooks.create({ principal, definition });
    return { id: webhook.id, secret };
  };
  const run = (runId: string, { orgId = "default", workflow = "w", labels = {} } = {}) => {
    log.addRun(runId, { orgId, workflow, labels, createdAt: clock.now() });
    const created = { runId, seq: 1, at: clock.now(), type: "run.created", workflow, version: "v", labels };
    // Only what a message is made of.
    events.set(runId, [created as unknown as RunEvent]);
  };
  /** Commits an event; gives the batch for whoever hears of it. */
  const commit = (runId: string, type: OutboundEvent, at: number = clock.now()): readonly RunEvent[] => {
    const own = events.get(runId)!;
    const event = { runId, seq: own.length + 1, at, type, output: { x: 1 } } as unknown as RunEvent;
    own.push(event);
    log.addEvent({ runId, seq: event.seq, type, at });
    return [event];
  };
  const deliver = async (by = deliverer()) => {
    for (let more = true; more;) {
      const before = received.length;
      await by.sendDue();
      await by.settled();
      more = received.length > before;
    }
  };
  const list = async (webhookId: string) => (await deliveryStore.list({ webhookId, limit: 100 })).items;
  const settle = () => new Promise<void>((resolve) => clock.afterTurn(resolve));
  return {
    clock,
    answers,
    received,
    keys,
    events,
    webhooks,
    webhookStore,
    deliveryStore,
    principal,
    hub,
    deliverer,
    make,
    run,
    commit,
    deliver,
    list,
    settle,
  };
}

Deno.test("Outbound sends what a webhook asks for, signed, with the event's data", async () => {
  const it = world();
  const hook = await it.make({ workflow: "w", label: "env=prod", events: ["run.completed"] });
  const hub = it.hub();
  await hub.start();
  it.run("r1", { labels: { env: "prod" } });
  it.run("r2", { labels: { env: "test" } });
  it.run("r3", { labels: { env: "prod" }, workflow: "other" });
  it.run("r4", { labels: { env: "prod" }, orgId: "other" });
  for (const id of ["r1", "r2", "r3", "r4"]) {
    hub.committed(it.commit(id, "run.paused"));
    hub.committed(it.commit(id, "run.completed"));
  }
  await hub.stop();
  await it.deliver();
  assert.equal(it.received.length, 1);
  const [{ body, headers, text, id }] = it.received as [Received];
  assert.equal(body.type, "run.completed");
  assert.deepEqual(body.data, {
    runId: "r1",
    workflow: "w",
    version: "v",
    labels: { env: "prod" },
    seq: 3,
    status: "completed",
    output: { x: 1 },
  });
  const request = { headers, body: new TextEncoder().encode(text) };
  const check = { scheme: "hub", secrets: [hook.secret], toleranceMs: 1_000, now: it.clock.now() } as const;
  assert.equal(verifySignature(request, check), id);
  const [delivery] = await it.list(hook.id);
  assert.deepEqual([delivery?.status, delivery?.attempts, delivery?.lastStatus, delivery?.lastAnswer], [
    "delivered",
    1,
    200,
    "thanks",
  ]);
  assert.equal((await it.webhookStore.find(hook))?.stats.accepted, 1);
});

Deno.test("Outbound finds by a scan what a hub that died had committed, however long its run had lived", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({ run: fc.nat({ max: 5 }), told: fc.boolean(), restart: fc.boolean(), ms: fc.nat({ max: 900_000 }) }),
        {
          minLength: 5,
          maxLength: 40,
        },
      ),
      async (steps) => {
        const it = world();
        const hook = await it.make();
        let hub = it.hub();
        await hub.start();
        const expected: string[] = [];
        const ended = new Set<string>();
        let generation = 0;
        for (const step of steps) {
          it.clock.advance(step.ms);
          await it.settle();
          await it.settle();
          if (step.restart) {
            // Killed: what it was not told of is in the log only.
            await hub.stop();
            hub = it.hub();
            await hub.start();
            generation++;
          }
          const runId = `r${step.run}-${step.run % 2 === 0 ? generation : 0}`;
          if (ended.has(runId)) continue;
          if (!it.events.has(runId)) it.run(runId);
          const type = step.ms % 3 === 0 ? "run.completed" : "run.paused";
          if (type === "run.completed") ended.add(runId);
          const batch = it.commit(runId, type);
          expected.push(`msg_${hook.id}_${runId}_${batch[0]!.seq}`);
          if (step.told) hub.committed(batch);
        }
        await hub.stop();
        const last = it.hub();
        await last.start();
        await last.stop();
        await it.deliver();
        assert.deepEqual(it.received.map(({ id }) => id).sort(), expected.sort());
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("Outbound finds an event that becomes visible only after a scan of a later time", async () => {
  const it = world();
  await it.make();
  it.run("r1");
  for (let scans = 0; scans < 2; scans++) {
    it.clock.advance(30_000);
    const hub = it.hub();
    await hub.start();
    await hub.stop();
  }
  it.commit("r1", "run.completed", it.clock.now() - 10_000);
  const last = it.hub();
  await last.start();
  await last.stop();
  await it.deliver();
  assert.deepEqual(it.received.map(({ body }) => body.data.runId), ["r1"]);
});

Deno.test("Outbound sends nothing from before a webhook or from its pause", async () => {
  const it = world();
  it.run("r1");
  it.commit("r1", "run.paused");
  it.clock.advance(1);
  const hook = await it.make();
  const hub = it.hub();
  await hub.start();
  await it.webhooks.setPaused({ caller: it.principal, id: hook.id, paused: true });
  it.clock.advance(1);
  it.commit("r1", "run.paused");
  it.clock.advance(1);
  await it.webhooks.setPaused({ caller: it.principal, id: hook.id, paused: false });
  it.commit("r1", "run.completed");
  await hub.stop();
  const again = it.hub();
  await again.start();
  await again.stop();
  await it.deliver();
  assert.deepEqual(it.received.map(({ body }) => body.type), ["run.completed"]);
});

Deno.test("Deliverer keeps a run's events in order and lets other runs pass", async () => {
  const it = world();
  await it.make();
  const hub = it.hub();
  await hub.start();
  it.run("r1");
  it.run("r2");
  for (const type of ["run.paused", "signal.awaited", "run.completed"] as const) hub.committed(it.commit("r1", type));
  await it.settle();
  await it.settle();
  it.answers.push(new Response("", { status: 500 }));
  await it.deliver();
  hub.committed(it.commit("r2", "run.completed"));
  await hub.stop();
  await it.deliver();
  const seen = () => it.received.map(({ body }) => `${body.data.runId} ${body.type}`);
  assert.deepEqual(seen(), ["r1 run.paused", "r2 run.completed"]);
  it.clock.advance(5_000);
  await it.deliver();
  assert.deepEqual(seen().slice(2), ["r1 run.paused", "r1 signal.awaited", "r1 run.completed"]);
});

Deno.test("Deliverer tries for a day with growing pauses, then gives up until it is told to send again", async () => {
  const it = world();
  const { id } = await it.make();
  const hub = it.hub();
  await hub.start();
  it.run("r1");
  hub.committed(it.commit("r1", "run.failed"));
  await hub.stop();
  const at: number[] = [];
  const start = it.clock.now();
  for (let minute = 0; minute < 26 * 60; minute++) {
    it.answers.push(minute % 2 === 0 ? new Response("busy", { status: 503 }) : new CallError("TIMEOUT", "slow"));
    const before = it.received.length;
    await it.deliver();
    if (it.received.length === before) it.answers.pop();
    else at.push(Math.round((it.clock.now() - start) / 60_000));
    it.clock.advance(60_000);
  }
  const [delivery] = await it.list(id);
  assert.equal(delivery?.status, "dead");
  assert.equal(delivery?.attempts, at.length);
  assert.ok(at.length > 10 && at.length < 25, `${at}`);
  assert.ok(at.at(-1)! <= 24 * 60 && at.at(-1)! > 21 * 60, `${at}`);
  assert.match(delivery?.lastError ?? "", /503|TIMEOUT/);
  const deliveries = createDeliveries({
    webhooks: it.webhookStore,
    store: it.deliveryStore,
    now: () => it.clock.now(),
    onQueued: () => {},
  });
  const caller = it.principal;
  await deliveries.redeliver({ caller, webhookId: id, id: delivery!.id });
  await it.deliver();
  assert.equal((await it.list(id))[0]?.status, "delivered");
  const code = (wanted: string) => (error: unknown) => error instanceof CallError && error.code === wanted;
  await assert.rejects(deliveries.redeliver({ caller, webhookId: id, id: "none" }), code("DELIVERY_NOT_FOUND"));
  const other = { ...caller, orgId: "other" };
  await assert.rejects(deliveries.list({ caller: other, webhookId: id, limit: 1 }), code("WEBHOOK_NOT_FOUND"));
});

Deno.test("Deliverer heeds retry-after and 410, and stops with the owner's key and with the run", async () => {
  const it = world();
  const { id } = await it.make();
  const hub = it.hub();
  await hub.start();
  const status = async () => (await it.list(id)).map(({ status, lastError }) => `${status} ${lastError}`)[0];
  const queue = async (runId: string) => {
    it.clock.advance(1);
    it.run(runId);
    hub.committed(it.commit(runId, "run.completed"));
    await it.settle();
    await it.settle();
  };
  await queue("r1");
  it.answers.push(new Response("", { status: 429, headers: { "retry-after": "60" } }));
  await it.deliver();
  it.clock.advance(59_000);
  await it.deliver();
  assert.equal(it.received.length, 1);
  it.clock.advance(1_000);
  await it.deliver();
  assert.equal(await status(), "delivered null");
  await queue("r2");
  it.answers.push(new Response("", { status: 410 }));
  await it.deliver();
  assert.match(await status() ?? "", /^dead .*410/);
  await queue("r3");
  it.events.delete("r3");
  await it.deliver();
  assert.equal(await status(), "dead The run is gone");
  await queue("r4");
  it.keys.set("k", { metadata: { scopes: ["*"], revokedAt: "2020-01-01T00:00:00Z" } });
  await it.deliver();
  assert.match(await status() ?? "", /^dead .*revoked/);
  assert.equal(it.received.length, 3);
  await hub.stop();
});
