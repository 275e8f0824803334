import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import { generateKeyRing } from "../../crypto/mod.ts";
import type { Runs, StartRun } from "../../runs/mod.ts";
import { createOwnerKeys, type OwnedKey } from "../owner_keys.ts";
import { createInbound } from "./inbound.ts";
import { createMemoryWebhookStore } from "./memory_webhook_store.ts";
import { signHeaders } from "./signature.ts";
import type { InboundDefinition, WebhookDefinition } from "./webhook.ts";
import { createWebhooks } from "./webhooks.ts";

const hasCode = (code: string) => (error: unknown) => {
  assert.ok(error instanceof CallError, String(error));
  return error.code === code || assert.fail(`${error.code}: ${error.message}`);
};

function world() {
  let now = 1_700_000_000_000;
  const store = createMemoryWebhookStore();
  const keyRing = generateKeyRing();
  const started: StartRun[] = [];
  const signals: Parameters<Runs["signal"]>[0][] = [];
  const byKey = new Map<string, string>();
  const keys = new Map<string, OwnedKey>([["k", { metadata: { scopes: ["*"] } }]]);
  let labelled: readonly string[] = [];
  const runs = {
    start(request: StartRun) {
      const known = byKey.get(request.idempotencyKey ?? "");
      if (known !== undefined) return Promise.resolve({ id: known, status: "running" as const, duplicate: true });
      started.push(request);
      byKey.set(request.idempotencyKey ?? "", `run-${started.length}`);
      return Promise.resolve({ id: `run-${started.length}`, status: "running" as const, duplicate: false });
    },
    signal(params: Parameters<Runs["signal"]>[0]) {
      if (signals.some(({ runId, name }) => runId === params.runId && name === params.name)) {
        return Promise.reject(new CallError("SIGNAL_ANSWERED", "It is answered"));
      }
      signals.push(params);
      return Promise.resolve();
    },
    // Only the ids are looked at.
    list: () => Promise.resolve({ items: labelled.map((id) => ({ id })), nextCursor: null }) as never,
  };
  const owners = createOwnerKeys({ find: (id) => Promise.resolve(keys.get(id) ?? null), now: () => now });
  const inbound = createInbound({ store, runs, owners, keyRing, now: () => now });
  const catalog = { get: ({ name }: { name: string }) => Promise.resolve(name === "w" ? {} : null) as never };
  const webhooks = createWebhooks({ store, catalog, keyRing, now: () => now });
  const principal = { identity: { id: "ann", scopes: ["*"] }, orgId: "default", keyId: "k", keyName: null };
  const make = async (more: Partial<InboundDefinition> = {}) => {
    const definition: WebhookDefinition = { kind: "inbound", name: "n", target: { workflow: "w" }, ...more };
    const { webhook, secret } = await webhooks.create({ principal, definition });
    return { id: webhook.id, secret };
  };
  const send = (
    { id, secret }: { readonly id: string; readonly secret: string },
    body: string,
    { messageId = "m", headers = {}, query = "" }: {
      messageId?: string;
      headers?: Record<string, string>;
      query?: string;
    } = {},
  ) =>
    inbound.receive({
      id,
      headers: new Headers({ ...signHeaders({ id: messageId, at: now, body, secrets: [secret] }), ...headers }),
      query: new URLSearchParams(query),
      body: new TextEncoder().encode(body),
    });
  return {
    store,
    started,
    signals,
    keys,
    webhooks,
    principal,
    make,
    send,
    advance: (ms: number) => now += ms,
    label: (ids: readonly string[]) => labelled = ids,
    stats: async (id: string) => (await store.find({ id }))!.stats,
  };
}

Deno.test("Inbound.receive() starts a run with what it maps, as the owner, once a delivery", async () => {
  const it = world();
  const hook = await it.make({
    input: {
      order: { $ref: "body.order.id" },
      next: { $cel: "body.n + 1" },
      event: { $ref: "headers.x-event" },
      q: [{ $ref: "query.q" }],
    },
    labels: { source: "shop" },
  });
  const body = `{"order":{"id":"o-1"},"n":2}`;
  const more = { headers: { "x-event": "paid", authorization: "no" }, query: "q=1" };
  assert.deepEqual(await it.send(hook, body, more), { outcome: "started", runId: "run-1", duplicate: false });
  const [run] = it.started;
  assert.deepEqual(run?.input, { order: "o-1", next: 3, event: "paid", q: ["1"] });
  assert.deepEqual(run?.caller, { orgId: "default", identity: { id: "ann", scopes: ["*"] }, keyId: "k" });
  assert.deepEqual([run?.labels, run?.ownLabels], [{ source: "shop" }, { "hub.webhook": hook.id }]);
  assert.deepEqual(await it.send(hook, body, more), { outcome: "started", runId: "run-1", duplicate: true });
  assert.deepEqual(await it.send(hook, body, { ...more, messageId: "m2" }), {
    outcome: "started",
    runId: "run-2",
    duplicate: false,
  });
  assert.equal((await it.stats(hook.id)).accepted, 2);
  const receipts = await it.webhooks.receipts({ caller: it.principal, id: hook.id, limit: 9 });
  assert.deepEqual(receipts.map(({ deliveryId, runId }) => [deliveryId, runId]).sort(), [["m", "run-1"], [
    "m2",
    "run-2",
  ]]);
});

Deno.test("Inbound.receive() finds the run of a delivery whose receipt was lost", async () => {
  const it = world();
  const hook = await it.make();
  await it.send(hook, "{}");
  await it.store.pruneReceipts({ now: Infinity });
  assert.deepEqual(await it.send(hook, "{}"), { outcome: "started", runId: "run-1", duplicate: true });
});

Deno.test("Inbound.receive() has no effect where the filter does not hold", async () => {
  const it = world();
  const hook = await it.make({ filter: `body.action == "opened" && headers["x-event"] == "issue"` });
  const headers = { "x-event": "issue" };
  assert.equal((await it.send(hook, `{"action":"closed"}`, { headers })).outcome, "filtered");
  assert.equal((await it.send(hook, `{"action":"opened"}`, { headers, messageId: "m2" })).outcome, "started");
  await assert.rejects(it.send(hook, `{}`, { headers, messageId: "m3" }), hasCode("VALIDATION_ERROR"));
  assert.match((await it.stats(hook.id)).lastError ?? "", /^VALIDATION_ERROR/);
});

Deno.test("Inbound.receive() answers signals of a run by its id or its label", async () => {
  const it = world();
  const byId = await it.make({
    name: "a",
    target: { signal: "paid", runIdFrom: "body.runId" },
    input: { $ref: "body.amount" },
  });
  assert.deepEqual(await it.send(byId, `{"runId":"r1","amount":5}`), {
    outcome: "signalled",
    runId: "r1",
    duplicate: false,
  });
  assert.deepEqual(it.signals[0]?.payload, 5);
  // As after a crash between the answer and its receipt.
  assert.equal((await it.send(byId, `{"runId":"r1","amount":5}`, { messageId: "m2" })).duplicate, true);
  await assert.rejects(it.send(byId, `{}`, { messageId: "m3" }), hasCode("RUN_NOT_FOUND"));
  const byLabel = await it.make({
    name: "b",
    target: { signal: "paid", label: { key: "order", valueFrom: "body.order" } },
  });
  await assert.rejects(it.send(byLabel, `{"order":7}`), hasCode("RUN_NOT_FOUND"));
  it.label(["r2", "r3"]);
  await assert.rejects(it.send(byLabel, `{"order":7}`), hasCode("SIGNAL_AMBIGUOUS"));
  it.label(["r2"]);
  assert.equal((await it.send(byLabel, `{"order":7}`)).runId, "r2");
});

Deno.test("Inbound.receive() says no more than that a signature is wrong, counts it, and limits it", async () => {
  const it = world();
  const hook = await it.make();
  const unknown = { id: "none", secret: hook.secret };
  await assert.rejects(it.send(unknown, "{}"), hasCode("SIGNATURE_INVALID"));
  const wrong = { ...hook, secret: "whsec_AAAA" };
  for (let count = 0; count < 20; count++) await assert.rejects(it.send(wrong, "{}"), hasCode("SIGNATURE_INVALID"));
  await assert.rejects(it.send(wrong, "{}"), hasCode("RATE_LIMITED"));
  assert.equal((await it.stats(hook.id)).rejected, 20);
  // Whoever has the secret is not held up.
  assert.equal((await it.send(hook, "{}")).outcome, "started");
  it.advance(60_000);
  await assert.rejects(it.send(wrong, "{}"), hasCode("SIGNATURE_INVALID"));
});

Deno.test("Inbound.receive() takes the secret before a rotation until its time is over", async () => {
  const it = world();
  const hook = await it.make();
  const rotated = await it.webhooks.rotate({ caller: it.principal, id: hook.id, overlapSeconds: 60 });
  assert.equal(rotated.webhook.secrets.length, 2);
  const fresh = { id: hook.id, secret: rotated.secret };
  assert.equal((await it.send(hook, "{}", { messageId: "1" })).outcome, "started");
  assert.equal((await it.send(fresh, "{}", { messageId: "2" })).outcome, "started");
  it.advance(60_000);
  await assert.rejects(it.send(hook, "{}", { messageId: "3" }), hasCode("SIGNATURE_INVALID"));
  assert.equal((await it.send(fresh, "{}", { messageId: "4" })).outcome, "started");
});

Deno.test("Inbound.receive() does nothing while paused or once the owner's key does not count", async () => {
  const it = world();
  const hook = await it.make();
  const caller = it.principal;
  await it.webhooks.setPaused({ caller, id: hook.id, paused: true });
  await assert.rejects(it.send(hook, "{}"), hasCode("WEBHOOK_STOPPED"));
  await it.webhooks.setPaused({ caller, id: hook.id, paused: false });
  it.keys.set("k", { metadata: { scopes: ["run:read"] } });
  await assert.rejects(it.send(hook, "{}"), hasCode("WEBHOOK_STOPPED"));
  it.keys.set("k", { metadata: { scopes: ["*"], revokedAt: "2020-01-01T00:00:00Z" } });
  await assert.rejects(it.send(hook, "{}"), hasCode("WEBHOOK_STOPPED"));
  assert.match((await it.stats(hook.id)).lastError ?? "", /revoked/);
  assert.equal(it.started.length, 0);
});

Deno.test("Webhooks refuse what could never work, and show secrets once", async () => {
  const it = world();
  const { id, secret } = await it.make();
  await assert.rejects(it.make(), hasCode("WEBHOOK_EXISTS"));
  const wrong: readonly Partial<InboundDefinition>[] = [
    { input: { $ref: "nodes.a" } },
    { input: [{ $cel: "1 +" }] },
    { filter: "(" },
    { labels: { "hub.x": "" } },
    { target: { signal: "s", runIdFrom: "run.id" } },
  ];
  for (const more of wrong) await assert.rejects(it.make({ name: "x", ...more }), hasCode("VALIDATION_ERROR"));
  await assert.rejects(it.make({ name: "x", target: { workflow: "none" } }), hasCode("WORKFLOW_NOT_FOUND"));
  const weak = { ...it.principal, identity: { id: "w", scopes: ["webhook:write"] } };
  const definition: WebhookDefinition = { kind: "inbound", name: "x", target: { workflow: "w" } };
  await assert.rejects(it.webhooks.create({ principal: weak, definition }), hasCode("ACCESS_DENIED"));
  assert.ok(!JSON.stringify(await it.webhooks.get({ caller: it.principal, id })).includes(secret));
  assert.ok(!JSON.stringify(await it.store.find({ id })).includes(secret));
  const other = { ...it.principal, orgId: "other" };
  await assert.rejects(it.webhooks.rotate({ caller: other, id, overlapSeconds: 0 }), hasCode("WEBHOOK_NOT_FOUND"));
});
