/** Spokes that go, come back, stay away, are full, or leave. */
import assert from "node:assert/strict";
import { validateOrThrow } from "@alkdev/operations";
import { callThrough, dataOf, payloadOf, type RawClient, SPOKE_KEY, startTestHub, testCall } from "./_test_hub.ts";
import { createMemorySpokeStore } from "./memory_spoke_store.ts";

const ECHO = { namespace: "demo", name: "echo", inputSchema: {}, outputSchema: {} };
const isRequest = (message: Record<string, unknown>) => message["type"] === "call.requested";
const requestIdOf = (message: Record<string, unknown>) => payloadOf(message)["requestId"];

const register = async (client: RawClient, more: Record<string, unknown> = {}) =>
  dataOf(await client.ask("hub.register", { name: "raw", spokeType: "compute", operations: [ECHO], ...more }));

function answer(client: RawClient, requestId: unknown, data: unknown): void {
  const output = { data, meta: { source: "local", operationId: "demo.echo", timestamp: 1 } };
  client.event("call.responded", { requestId, output });
}

Deno.test("a spoke that comes back with resume is sent its calls again, under the same requestId", async () => {
  await using hub = startTestHub();
  const first = await hub.raw();
  const { resume, spokeId } = await register(first);
  const controller = new AbortController();
  const kept = callThrough(hub, { requestId: "kept", operationId: "demo.echo" });
  const dropped = callThrough(hub, { requestId: "dropped", operationId: "demo.echo", signal: controller.signal });
  await first.next(isRequest);
  first.socket.close();
  await hub.until(() => hub.pool.list("acme")[0]?.status === "disconnected");
  assert.equal(hub.pool.place("kept")?.state, "reconnecting");
  controller.abort();
  await assert.rejects(dropped, { code: "ABORTED" });
  const meanwhile = callThrough(hub, { requestId: "meanwhile", operationId: "demo.echo" });
  assert.equal(hub.pool.place("meanwhile")?.state, "queued");

  const second = await hub.raw();
  const again = await register(second, { resume });
  assert.deepEqual([again["spokeId"], again["resumed"]], [spokeId, true]);
  const messages = [await second.next(), await second.next(), await second.next()];
  assert.deepEqual(messages.map((message) => [message["type"], requestIdOf(message)]), [
    ["call.aborted", "dropped"],
    ["call.requested", "kept"],
    ["call.requested", "meanwhile"],
  ]);
  answer(second, "kept", 1);
  answer(second, "meanwhile", 2);
  assert.deepEqual([(await kept).data, (await meanwhile).data], [1, 2]);
});

Deno.test("a resume token is of no use to another identity or organization", async () => {
  await using hub = startTestHub();
  const { resume, spokeId } = await register(await hub.raw());
  for (const key of ["acme_bob_spoke~connect", "other_ann_spoke~connect"]) {
    const answered = await register(await hub.raw(key), { resume });
    assert.equal(answered["resumed"], false);
    assert.notEqual(answered["spokeId"], spokeId);
  }
});

Deno.test("a spoke that resumes on a second socket takes over from the first", async () => {
  await using hub = startTestHub();
  const first = await hub.raw();
  const { resume } = await register(first);
  const call = callThrough(hub, { requestId: "r", operationId: "demo.echo" });
  await first.next(isRequest);
  const second = await hub.raw();
  await register(second, { resume });
  assert.equal((await first.closed).code, 4001);
  assert.equal(requestIdOf(await second.next(isRequest)), "r");
  answer(second, "r", 1);
  assert.equal((await call).data, 1);
  assert.equal(hub.pool.list("acme").length, 1);
});

Deno.test("a lost spoke's calls go to another; late ones fail when there is none", async () => {
  await using hub = startTestHub({ graceMs: 1_000 });
  const first = await hub.raw();
  await register(first);
  const moved = callThrough(hub, { requestId: "moved", operationId: "demo.echo" });
  await first.next(isRequest);
  first.socket.close();
  await hub.until(() => hub.pool.list("acme")[0]?.status === "disconnected");
  const second = await hub.raw();
  await register(second);
  hub.clock.advance(1_000);
  assert.equal(requestIdOf(await second.next(isRequest)), "moved");
  answer(second, "moved", "by the second");
  assert.equal((await moved).data, "by the second");

  const failed = callThrough(hub, { requestId: "failed", operationId: "demo.echo" });
  const deadline = hub.clock.now() + 5_000;
  const waiting = callThrough(hub, { requestId: "waiting", operationId: "demo.echo", deadline });
  await second.next(isRequest);
  second.socket.close();
  await hub.until(() => hub.pool.list("acme")[0]?.status === "disconnected");
  hub.clock.advance(1_000);
  await assert.rejects(failed, { code: "SPOKE_LOST" });
  assert.equal(hub.pool.place("waiting")?.state, "queued");
  const third = await hub.raw();
  await register(third);
  assert.equal(requestIdOf(await third.next(isRequest)), "waiting");
  answer(third, "waiting", "by the third");
  assert.equal((await waiting).data, "by the third");
});

Deno.test("a lost call that nobody takes over fails with SPOKE_LOST at its deadline", async () => {
  await using hub = startTestHub({ graceMs: 1_000 });
  const client = await hub.raw();
  await register(client);
  const call = callThrough(hub, { operationId: "demo.echo", deadline: hub.clock.now() + 5_000 });
  await client.next(isRequest);
  client.socket.close();
  await hub.until(() => hub.pool.list("acme")[0]?.status === "disconnected");
  hub.clock.advance(4_999);
  assert.equal(hub.pool.stats().queued, 1);
  hub.clock.advance(1);
  await assert.rejects(call, { code: "SPOKE_LOST" });
  await assert.rejects(callThrough(hub, { operationId: "demo.echo" }), { code: "OPERATION_NOT_FOUND" });
  assert.deepEqual(hub.pool.stats(), { sockets: 0, spokes: 0, inFlight: 0, queued: 0 });
});

Deno.test("a spoke silent for three heartbeats is lost, one that beats is not", async () => {
  await using hub = startTestHub({ heartbeatMs: 1_000 });
  const client = await hub.raw();
  await register(client);
  hub.clock.advance(3_000);
  await client.ask("hub.heartbeat", { load: 0 });
  hub.clock.advance(3_000);
  assert.equal(hub.pool.list("acme")[0]?.status, "connected");
  hub.clock.advance(1_000);
  assert.deepEqual(hub.pool.list("acme"), []);
  assert.equal((await client.closed).code, 4002);
});

Deno.test("a stream ends with SPOKE_LOST when the socket closes, and its spoke is told later (I8)", async () => {
  await using hub = startTestHub();
  const client = await hub.raw();
  const operations = [{ ...ECHO, type: "subscription" }];
  const { resume } = await register(client, { operations });
  const spec = hub.pool.spec("acme", "demo.echo");
  assert(spec);
  const chunks = hub.pool.stream(testCall({ requestId: "s", operationId: "demo.echo" }), spec);
  await client.next(isRequest);
  answer(client, "s", 1);
  const reader = chunks[Symbol.asyncIterator]();
  assert.equal((await reader.next()).value?.data, 1);
  client.socket.close();
  await assert.rejects(reader.next(), { code: "SPOKE_LOST" });
  const again = await hub.raw();
  await register(again, { resume, operations });
  assert.deepEqual([(await again.next())["type"], hub.pool.stats().inFlight], ["call.aborted", 0]);
});

Deno.test("calls go to the least loaded spoke, never more than maxConcurrency, the rest wait in order", async () => {
  await using hub = startTestHub();
  const small = await hub.raw();
  const large = await hub.raw();
  await register(small, { name: "small", maxConcurrency: 1 });
  await register(large, { name: "large", maxConcurrency: 2 });
  const calls = ["1", "2", "3", "4", "5"].map((requestId) => callThrough(hub, { requestId, operationId: "demo.echo" }));
  const at = (name: string) => hub.pool.list("acme").find((spoke) => spoke.name === name)?.inFlight;
  assert.deepEqual([at("small"), at("large"), hub.pool.stats().queued], [1, 2, 2]);
  const held = requestIdOf(await small.next(isRequest));
  answer(small, held, 0);
  assert.equal(requestIdOf(await small.next(isRequest)), "4");
  answer(small, "4", 0);
  assert.equal(requestIdOf(await small.next(isRequest)), "5");
  answer(small, "5", 0);
  answer(large, requestIdOf(await large.next(isRequest)), 0);
  answer(large, requestIdOf(await large.next(isRequest)), 0);
  assert.equal((await Promise.all(calls)).length, 5);
});

Deno.test("a queue that is full refuses with OVERLOADED", async () => {
  await using hub = startTestHub({ maxQueued: 1 });
  const client = await hub.raw();
  await register(client, { maxConcurrency: 1 });
  const calls = [1, 2].map(() => callThrough(hub, { operationId: "demo.echo" }));
  await assert.rejects(callThrough(hub, { operationId: "demo.echo" }), { code: "OVERLOADED" });
  for (const _ of calls) answer(client, requestIdOf(await client.next(isRequest)), 0);
  await Promise.all(calls);
});

Deno.test("labels pin a call to the spokes that carry them", async () => {
  await using hub = startTestHub();
  const plain = await hub.raw();
  const gpu = await hub.raw();
  await register(plain);
  await register(gpu, { labels: { gpu: "a100", zone: "b" }, maxConcurrency: 1 });
  const pinned = ["p1", "p2"].map((requestId) =>
    callThrough(hub, { requestId, operationId: "demo.echo", spoke: { gpu: "a100" } })
  );
  assert.equal(hub.pool.stats().queued, 1);
  for (const requestId of ["p1", "p2"]) {
    assert.equal(requestIdOf(await gpu.next(isRequest)), requestId);
    answer(gpu, requestId, 0);
  }
  await Promise.all(pinned);
});

Deno.test("a draining spoke finishes what it has and gets nothing new", async () => {
  await using hub = startTestHub();
  const client = await hub.raw();
  const { spokeId } = await register(client);
  const call = callThrough(hub, { requestId: "r", operationId: "demo.echo" });
  await client.next(isRequest);
  assert.equal(hub.pool.drain("other", String(spokeId)), false);
  assert.equal(hub.pool.drain("acme", String(spokeId)), true);
  assert.equal((await client.next())["type"], "hub.drain");
  const waiting = callThrough(hub, { requestId: "w", operationId: "demo.echo" });
  assert.equal(hub.pool.place("w")?.state, "queued");
  answer(client, "r", 1);
  assert.equal((await call).data, 1);
  client.socket.close();
  await assert.rejects(waiting, { code: "SPOKE_LOST" });
  assert.deepEqual(hub.pool.list("acme"), []);
});

Deno.test("a held spoke finishes what it has, and gets what waits once it is let go", async () => {
  await using hub = startTestHub();
  const client = await hub.raw();
  const { spokeId } = await register(client);
  const call = callThrough(hub, { requestId: "r", operationId: "demo.echo" });
  await client.next(isRequest);
  hub.pool.holdWhere((orgId, { id }) => orgId === "acme" && id === spokeId);
  const waiting = callThrough(hub, { requestId: "w", operationId: "demo.echo" });
  answer(client, "r", 1);
  assert.equal((await call).data, 1);
  assert.equal(hub.pool.place("w")?.state, "queued");
  hub.pool.holdWhere((orgId) => orgId === "other");
  await client.next(isRequest);
  assert.equal(hub.pool.place("w")?.state, "running");
  answer(client, "w", 2);
  assert.equal((await waiting).data, 2);
});

Deno.test("a spoke whose key is revoked is cut off, and its calls are not kept for it", async () => {
  await using hub = startTestHub();
  const client = await hub.raw();
  await register(client);
  const call = callThrough(hub, { operationId: "demo.echo" });
  await client.next(isRequest);
  hub.pool.revoke("another key");
  assert.equal(hub.pool.stats().sockets, 1);
  hub.pool.revoke(SPOKE_KEY);
  await assert.rejects(call, { code: "SPOKE_LOST" });
  assert.equal((await client.closed).code, 1008);
});

Deno.test("a hub that starts again waits for the spokes it had, and sends them what they had", async () => {
  const store = createMemorySpokeStore();
  let resume: unknown;
  {
    await using hub = startTestHub({ store });
    const client = await hub.raw();
    ({ resume } = await register(client));
    // The same spoke on the same socket keeps its token; only a hash of it is kept here.
    assert.equal((await register(client, { maxConcurrency: 2 }))["resume"], resume);
    assert.equal(typeof resume, "string");
    assert.ok(!JSON.stringify(await store.load({ hubId: "hub-1" })).includes(String(resume)));
    hub.pool.close();
    await client.closed;
  }
  // As a database gives it back.
  const load: typeof store.load = async (params) => JSON.parse(JSON.stringify(await store.load(params)));
  await using hub = startTestHub({ store: { ...store, load } });
  await hub.pool.restore();
  const spec = hub.pool.spec("acme", "demo.echo");
  assert(spec);
  validateOrThrow(spec.inputSchema, { any: "thing" });
  const call = callThrough(hub, { requestId: "same", operationId: "demo.echo" });
  assert.equal(hub.pool.place("same")?.state, "queued");
  const client = await hub.raw();
  const again = await register(client, { resume });
  assert.deepEqual([again["resumed"], again["resume"]], [true, resume]);
  assert.equal(requestIdOf(await client.next(isRequest)), "same");
  answer(client, "same", 1);
  assert.equal((await call).data, 1);
});

Deno.test("a registration that cannot be stored is refused and leaves nothing behind", async () => {
  const store = { ...createMemorySpokeStore(), connected: () => Promise.reject(new Error("disk")) };
  await using hub = startTestHub({ store });
  const client = await hub.raw();
  const refused = await client.ask("hub.register", { name: "raw", operations: [ECHO] });
  assert.equal(payloadOf(refused)["code"], "EXECUTION_ERROR");
  assert.doesNotMatch(JSON.stringify(refused), /disk/);
  assert.deepEqual([hub.pool.list("acme"), hub.pool.specs("acme")], [[], []]);
});
