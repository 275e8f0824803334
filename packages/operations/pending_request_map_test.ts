import assert from "node:assert/strict";
import { FakeTime } from "./_fake_time.ts";
import { CallError, CallEventMap, collectErrors, localEnvelope, PendingRequestMap } from "./mod.ts";
import type { CallAbortedEvent, CallRequestedEvent } from "./mod.ts";

/** A map, and what it has published. */
function setUp() {
  const target = new EventTarget();
  const map = new PendingRequestMap(target);
  const requests: CallRequestedEvent[] = [];
  const aborts: string[] = [];
  target.addEventListener("call.requested:", (event) => {
    if (event instanceof CustomEvent) requests.push(event.detail.payload);
  });
  target.addEventListener("call.aborted:", (event) => {
    if (!(event instanceof CustomEvent)) return;
    const payload: CallAbortedEvent | null = event.detail.payload;
    if (typeof payload?.requestId === "string") aborts.push(payload.requestId);
  });
  const requestId = () => requests[0]?.requestId ?? assert.fail("nothing was requested");
  const send = (type: string, payload: unknown) =>
    target.dispatchEvent(new CustomEvent(`${type}:`, { detail: { type, id: "", payload } }));
  return { target, map, requests, aborts, requestId, send };
}

const isCode = (code: string) => (error: unknown) => error instanceof CallError && error.code === code;
const answer = localEnvelope(1, "a.b");

Deno.test("call() publishes one request and resolves with its response", async () => {
  const { map, requests, requestId } = setUp();
  const call = map.call("a.b", { x: 1 }, { parentRequestId: "p", identity: { id: "me", scopes: [] } });
  assert.equal(map.getPendingCount(), 1);
  assert.equal(requests.length, 1);
  assert.deepEqual(requests[0], {
    requestId: requestId(),
    operationId: "a.b",
    input: { x: 1 },
    parentRequestId: "p",
    identity: { id: "me", scopes: [] },
  });
  assert.match(requestId(), /^[0-9a-f-]{36}$/);
  assert.deepEqual(collectErrors(CallEventMap["call.requested"], requests[0]), []);
  map.respond(requestId(), answer);
  assert.equal(await call, answer);
  assert.equal(map.getPendingCount(), 0);
});

Deno.test("call() carries a given request id and metadata", () => {
  const { map, requests, requestId } = setUp();
  map.call("a.b", 1, { requestId: "r1", metadata: { runId: "x" } });
  assert.equal(requestId(), "r1");
  assert.deepEqual(requests[0]?.metadata, { runId: "x" });
});

Deno.test("call() rejects with the error of the other side", async () => {
  const { map, requestId } = setUp();
  const call = map.call("a.b", 1);
  map.emitError(requestId(), "QUOTA", "too much", { left: 0 });
  await assert.rejects(call, { code: "QUOTA", message: "too much", details: { left: 0 } });
});

Deno.test("call() rejects with ABORTED when it is completed without response, or aborted by the other side", async () => {
  const completed = setUp();
  const call = completed.map.call("a.b", 1);
  completed.map.complete(completed.requestId());
  await assert.rejects(call, { code: "ABORTED", message: /completed without response/ });
  const other = setUp();
  const second = other.map.call("a.b", 1);
  other.send("call.aborted", { requestId: other.requestId() });
  await assert.rejects(second, isCode("ABORTED"));
  assert.equal(other.map.getPendingCount(), 0);
});

Deno.test("call() rejects with TIMEOUT at its deadline, and tells the other side", async () => {
  using time = new FakeTime(1_000);
  const { map, aborts, requests, requestId } = setUp();
  const call = map.call("a.b", 1, { deadline: 1_500 });
  assert.equal(requests[0]?.deadline, 1_500);
  time.advance(499);
  assert.equal(map.getPendingCount(), 1);
  time.advance(1);
  await assert.rejects(call, { code: "TIMEOUT", details: { deadline: 1_500 } });
  assert.deepEqual(aborts, [requestId()]);
  map.respond(requestId(), answer);
});

Deno.test("call() takes a deadline that is past as now, and one that is weeks away as it is", async () => {
  using time = new FakeTime(1_000);
  const { map } = setUp();
  const past = map.call("a.b", 1, { deadline: 1 });
  time.advance(0);
  await assert.rejects(past, isCode("TIMEOUT"));
  const far = map.call("a.b", 1, { deadline: 1_000 + 2 ** 31 + 10 });
  time.advance(2 ** 31 - 1);
  assert.equal(map.getPendingCount(), 1);
  time.advance(11);
  await assert.rejects(far, isCode("TIMEOUT"));
});

Deno.test("call() leaves no timer behind when it is settled", async () => {
  using time = new FakeTime(1_000);
  const { map, requestId } = setUp();
  const call = map.call("a.b", 1, { deadline: 2_000 });
  assert.equal(time.pending, 1);
  map.respond(requestId(), answer);
  await call;
  assert.equal(time.pending, 0);
});

Deno.test("call() rejects when the request cannot be published", async () => {
  const failing = {
    addEventListener: () => {},
    removeEventListener: () => {},
    dispatchEvent: () => {
      throw new Error("closed");
    },
  };
  const map = new PendingRequestMap(failing);
  await assert.rejects(map.call("a.b", 1), /closed/);
  await assert.rejects(map.subscribe("a.b", 1).next(), /closed/);
  assert.equal(map.getPendingCount(), 0);
});

Deno.test("call() puts back the undefined data that JSON drops, and rejects what is no envelope", async () => {
  const { map, requestId, send } = setUp();
  const call = map.call("a.b", 1);
  send(
    "call.responded",
    JSON.parse(JSON.stringify({ requestId: requestId(), output: localEnvelope(undefined, "a.b") })),
  );
  assert.equal("data" in await call, true);
  const other = setUp();
  const second = other.map.call("a.b", 1);
  other.send("call.responded", { requestId: other.requestId(), output: 5 });
  await assert.rejects(second, isCode("EXECUTION_ERROR"));
});

Deno.test("subscribe() requests nothing until the first value is asked for", async () => {
  const { map, requests, aborts } = setUp();
  const values = map.subscribe("a.b", 1);
  assert.deepEqual([requests.length, map.getPendingCount()], [0, 0]);
  await values.return?.();
  assert.deepEqual([requests.length, aborts.length], [0, 0]);
});

Deno.test("subscribe() gives each response in order and ends when completed", async () => {
  const { map, requestId, aborts } = setUp();
  const values = map.subscribe("a.b", 1);
  const first = values.next();
  for (let n = 1; n <= 3; n++) map.respond(requestId(), localEnvelope(n, "a.b"));
  map.complete(requestId());
  assert.equal((await first).value?.data, 1);
  const rest: unknown[] = [];
  for await (const { data } of values) rest.push(data);
  assert.deepEqual([rest, aborts, map.getPendingCount()], [[2, 3], [], 0]);
});

Deno.test("subscribe() throws the error of the other side after the values before it", async () => {
  const { map, requestId, aborts } = setUp();
  const values = map.subscribe("a.b", 1);
  const first = values.next();
  map.respond(requestId(), answer);
  map.emitError(requestId(), "QUOTA", "too much");
  assert.equal((await first).value, answer);
  await assert.rejects(values.next(), { code: "QUOTA" });
  assert.deepEqual(await values.next(), { done: true, value: undefined });
  assert.deepEqual(aborts, []);
});

Deno.test("subscribe() publishes call.aborted when the consumer stops early", async () => {
  const { map, requestId, aborts } = setUp();
  const values = map.subscribe("a.b", 1);
  const first = values.next();
  map.respond(requestId(), answer);
  await first;
  await values.return?.();
  assert.deepEqual([aborts, map.getPendingCount()], [[requestId()], 0]);
});

Deno.test("subscribe() ends silently when the other side aborts", async () => {
  const { map, requestId, send } = setUp();
  const first = map.subscribe("a.b", 1).next();
  send("call.aborted", { requestId: requestId() });
  assert.deepEqual(await first, { done: true, value: undefined });
});

Deno.test("subscribe() fails with TIMEOUT when idle, counting from the last response, and tells the other side", async () => {
  using time = new FakeTime(0);
  const { map, requests, requestId, aborts } = setUp();
  const values = map.subscribe("a.b", 1, { idleTimeout: 100 });
  const first = values.next();
  assert.equal(requests[0]?.idleTimeout, 100);
  time.advance(99);
  map.respond(requestId(), answer);
  assert.equal((await first).value, answer);
  const second = values.next();
  time.advance(99);
  assert.deepEqual(aborts, []);
  time.advance(1);
  await assert.rejects(second, { code: "TIMEOUT", details: { idleTimeout: 100 } });
  assert.deepEqual([aborts, time.pending], [[requestId()], 0]);
});

Deno.test("abort() rejects an own call, ends an own subscription, and tells the other side once", async () => {
  const { map, requests, aborts } = setUp();
  const call = map.call("a.b", 1);
  const next = map.subscribe("a.b", 1).next();
  for (const { requestId } of requests) {
    map.abort(requestId);
    map.abort(requestId);
  }
  await assert.rejects(call, isCode("ABORTED"));
  assert.deepEqual(await next, { done: true, value: undefined });
  assert.deepEqual(aborts, requests.map(({ requestId }) => requestId));
  map.abort("unknown");
  assert.equal(aborts.length, 2);
});

Deno.test("respond() throws unless it is given an envelope", () => {
  const { map } = setUp();
  // @ts-expect-error: that is what is tested
  assert.throws(() => map.respond("r", { data: 1 }), TypeError);
});

Deno.test("PendingRequestMap ignores unknown request ids and broken payloads", async () => {
  const { map, send, requestId } = setUp();
  const call = map.call("a.b", 1);
  map.respond("other", answer);
  map.emitError("other", "X", "x");
  map.complete("other");
  for (const type of ["call.responded", "call.error", "call.completed", "call.aborted"]) {
    for (const payload of [null, 1, {}, { requestId: 1 }, { requestId: "other" }]) send(type, payload);
  }
  assert.equal(map.getPendingCount(), 1);
  map.respond(requestId(), answer);
  assert.equal(await call, answer);
});

Deno.test("watchAbort() calls back for its request until watching ends", () => {
  const { map, send } = setUp();
  let count = 0;
  const unwatch = map.watchAbort("r", () => count++);
  send("call.aborted", { requestId: "other" });
  send("call.aborted", { requestId: "r" });
  unwatch();
  send("call.aborted", { requestId: "r" });
  assert.equal(count, 1);
});

Deno.test("close() fails what is pending and whatever comes later, and aborts what is handled", async () => {
  const { map } = setUp();
  const call = map.call("a.b", 1);
  const next = map.subscribe("a.b", 1).next();
  let handled = 0;
  map.watchAbort("r", () => handled++);
  const reason = new CallError("SPOKE_LOST", "gone");
  map.close(reason);
  map.close();
  for (const pending of [call, next, map.call("a.b", 1), map.subscribe("a.b", 1).next()]) {
    await assert.rejects(pending, (error) => error === reason);
  }
  assert.deepEqual([map.getPendingCount(), handled], [0, 1]);
});
