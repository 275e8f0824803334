import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import { Type } from "@alkdev/typebox";
import { callOf, settle, specOf, TestHubs } from "./_test_hubs.ts";

const STEP = specOf("step");
const hasCode = (code: string) => (error: unknown) => error instanceof CallError && error.code === code;

Deno.test("call() goes to the own spoke first, else to the one on another hub, with the same request id", async () => {
  await using hubs = new TestHubs();
  const a = await hubs.hub("a");
  const b = await hubs.hub("b", [STEP]);
  const far = a.call({ requestId: "far" });
  await settle();
  assert.deepEqual(b.pool.calls, ["far"]);
  b.pool.answer("far", 1);
  assert.equal(await far, 1);
  a.pool.specs = [STEP];
  const near = a.call({ requestId: "near" });
  a.pool.answer("near", 2);
  assert.equal(await near, 2);
  assert.deepEqual(b.pool.calls, ["far"]);
});

Deno.test("call() goes to the newest version, wherever it is, and to the own spoke when that is gone", async () => {
  await using hubs = new TestHubs();
  const newer = specOf("step", { version: "1.10.0" });
  const a = await hubs.hub("a", [specOf("step", { version: "1.9.0" })]);
  const b = await hubs.hub("b", [newer]);
  const c = await hubs.hub("c", [STEP]);
  assert.equal(a.operations.spec("acme", "work.step")?.version, "1.10.0");
  assert.deepEqual(a.operations.specs("acme").map(({ version }) => version), ["1.10.0"]);
  for (const hub of [a, b, c]) {
    const call = hub.call({ requestId: hub.bus.hubId });
    await settle();
    b.pool.answer(hub.bus.hubId, "new");
    assert.equal(await call, "new");
  }
  await b.kill();
  await hubs.clock.advance(20_000);
  const call = a.call({ requestId: "r2" });
  await settle();
  assert.deepEqual(a.pool.calls, ["r2"]);
  a.pool.answer("r2", "old");
  assert.equal(await call, "old");
  assert.equal(a.operations.spec("acme", "work.step")?.version, "1.9.0");
});

Deno.test("call() that names a version goes to the hub that has it, whichever is served, and is checked by that one's schema", async () => {
  await using hubs = new TestHubs();
  const old = specOf("step", { version: "1.0.0", inputSchema: Type.Object({ a: Type.Number() }) });
  const newer = specOf("step", { version: "2.0.0", inputSchema: Type.Object({ b: Type.Number() }) });
  const a = await hubs.hub("a", [newer]);
  const b = await hubs.hub("b", [old]);
  assert.equal(a.operations.spec("acme", "work.step@1.0.0")?.inputSchema.properties["a"].type, "number");
  assert.equal(a.operations.spec("acme", "work.step@1.5.0"), undefined);
  const pinned = a.call({ operationId: "work.step@1.0.0", input: { a: 1 }, requestId: "pinned" });
  await settle();
  b.pool.answer("pinned", "old");
  assert.equal(await pinned, "old");
  const refused = a.call({ operationId: "work.step@1.0.0", input: { b: 1 }, requestId: "refused" });
  await assert.rejects(refused, hasCode("VALIDATION_ERROR"));
  assert.deepEqual([a.pool.calls, b.pool.calls], [[], ["pinned"]]);
});

Deno.test("spec() for labels is that of the spokes that carry them, at whichever hub they are", async () => {
  await using hubs = new TestHubs();
  const a = await hubs.hub("a", [specOf("step", { version: "2.0.0" })]);
  const b = await hubs.hub("b", [specOf("step", { version: "1.0.0" })]);
  b.pool.labels = { gpu: "yes" };
  b.presence.announce();
  await settle();
  assert.equal(a.operations.spec("acme", "work.step", { gpu: "yes" })?.version, "1.0.0");
  assert.equal(a.operations.spec("acme", "work.step", null)?.version, "2.0.0");
  // Nobody has them: what is served is the best guess.
  assert.equal(a.operations.spec("acme", "work.step", { gpu: "no" })?.version, "2.0.0");
});

Deno.test("call() carries identity, run, deadline and labels, and comes back with the operation's error", async () => {
  await using hubs = new TestHubs();
  const a = await hubs.hub("a");
  const b = await hubs.hub("b", [specOf("step", { accessControl: { requiredScopes: ["x"] } })]);
  const c = await hubs.hub("c", [STEP]);
  b.pool.labels = { gpu: "yes" };
  b.presence.announce();
  await settle();
  const identity = { id: "ann", scopes: ["x"] };
  const call = a.call({ spoke: { gpu: "yes" }, deadline: 9_999_999, identity, attempt: 3 });
  await settle();
  assert.deepEqual(c.pool.calls, []);
  const { signal: _, ...there } = b.pool.held.get("r1")!.call;
  const { signal: __, ...here } = callOf({ spoke: { gpu: "yes" }, deadline: 9_999_999, identity, attempt: 3 });
  assert.deepEqual({ ...there, streaming: undefined }, { ...here, streaming: undefined });
  b.pool.fail("r1", new CallError("OUT_OF_PAPER", "There is none", { tray: 2 }));
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof CallError);
    assert.deepEqual([error.code, error.message, error.details], ["OUT_OF_PAPER", "There is none", { tray: 2 }]);
    return true;
  });
  const refused = a.call({ spoke: { gpu: "yes" }, requestId: "r2" });
  await assert.rejects(refused, hasCode("ACCESS_DENIED"));
});

Deno.test("an abort is forwarded, but not when the hub leaves its calls to the next owner", async () => {
  await using hubs = new TestHubs();
  const a = await hubs.hub("a");
  const b = await hubs.hub("b", [STEP]);
  const abort = new AbortController();
  const calls = ["r1", "r2"].map((requestId) => a.call({ requestId, signal: abort.signal }));
  calls.forEach((call) => call.catch(() => {}));
  await settle();
  abort.abort();
  await settle();
  assert.deepEqual(b.pool.aborted, ["r1", "r2"]);
  const later = new AbortController();
  const left = a.call({ requestId: "r3", signal: later.signal });
  await settle();
  a.leave();
  later.abort();
  await assert.rejects(left, hasCode("ABORTED"));
  await settle();
  assert.deepEqual([b.pool.aborted, [...b.pool.held.keys()]], [["r1", "r2"], ["r3"]]);
});

Deno.test("a run that changes hands finds its call under way: it is not made again, and only the new owner can abort it", async () => {
  await using hubs = new TestHubs();
  const a = await hubs.hub("a");
  const b = await hubs.hub("b", [STEP]);
  const c = await hubs.hub("c");
  const abort = new AbortController();
  a.call({ signal: abort.signal }).catch(() => {});
  await settle();
  const taken = c.call();
  await settle();
  abort.abort();
  await settle();
  const own = b.call();
  assert.deepEqual([b.pool.calls, b.pool.aborted], [["r1"], []]);
  b.pool.answer("r1", "once");
  assert.equal(await own, "once");
  // The owner before is not told, and asks for it again.
  await hubs.clock.advance(2_500);
  b.pool.answer("r1", "from memory");
  assert.equal(await taken, "from memory");
});

Deno.test("a hub dies: its calls go to another one, or wait for one, and fail with SPOKE_LOST after the grace period", async () => {
  await using hubs = new TestHubs();
  const a = await hubs.hub("a");
  const b = await hubs.hub("b", [STEP]);
  const call = a.call();
  await settle();
  await b.kill();
  await hubs.clock.advance(10_000);
  assert.deepEqual(a.operations.stats(), { sent: 0, waiting: 1 });
  assert.notEqual(a.operations.spec("acme", "work.step"), undefined, "a new call would be refused");
  const c = await hubs.hub("c", [STEP]);
  await hubs.clock.advance(0);
  c.pool.answer("r1", "elsewhere");
  assert.equal(await call, "elsewhere");
  const lost = a.call({ requestId: "r2" });
  lost.catch(() => {});
  await settle();
  await c.kill();
  await hubs.clock.advance(30_000);
  await assert.rejects(lost, hasCode("SPOKE_LOST"));
  assert.deepEqual(a.operations.stats(), { sent: 0, waiting: 0 });
  assert.equal(a.operations.spec("acme", "work.step"), undefined);
});

Deno.test("a call whose own spoke is lost goes to another hub", async () => {
  await using hubs = new TestHubs();
  const a = await hubs.hub("a", [STEP]);
  const b = await hubs.hub("b", [STEP]);
  const call = a.call();
  a.pool.specs = [];
  a.pool.lose("r1");
  await settle();
  b.pool.answer("r1", "there");
  assert.equal(await call, "there");
});

Deno.test("the bus goes away: nobody is taken for gone, and an outcome that got lost is asked for again", async () => {
  await using hubs = new TestHubs();
  const a = await hubs.hub("a");
  const b = await hubs.hub("b", [STEP]);
  const call = a.call();
  await settle();
  hubs.exchange.setUp(false);
  b.pool.answer("r1", "lost");
  const waiting = a.call({ requestId: "r2" });
  await hubs.clock.advance(9_000);
  assert.deepEqual([a.presence.hubs(), a.operations.stats()], [["b"], { sent: 1, waiting: 1 }]);
  hubs.exchange.setUp(true);
  await hubs.clock.advance(2_500);
  assert.deepEqual(b.pool.calls, ["r1", "r2", "r1"]);
  b.pool.answer("r2", 2);
  b.pool.answer("r1", "from memory");
  assert.deepEqual([await call, await waiting], ["from memory", 2]);
});

Deno.test("stream() gives another hub's chunks in order, and its refusal", async () => {
  await using hubs = new TestHubs();
  const a = await hubs.hub("a");
  const b = await hubs.hub("b", [specOf("ticks", { type: "subscription" })]);
  b.pool.chunks = [1, 2, 3];
  const spec = a.operations.spec("acme", "work.ticks")!;
  const seen: unknown[] = [];
  for await (const { data } of a.operations.stream(callOf({ operationId: "work.ticks" }), spec)) seen.push(data);
  assert.deepEqual(seen, [1, 2, 3]);
  assert.equal(b.served.size, 0);
  await assert.rejects(a.call({ operationId: "work.ticks" }), hasCode("VALIDATION_ERROR"));
});

Deno.test("specs() of another organization are not seen, and of two versions the higher is", async () => {
  await using hubs = new TestHubs();
  const a = await hubs.hub("a");
  await hubs.hub("b", [specOf("step", { version: "1.2.0" })]);
  await hubs.hub("c", [specOf("step", { version: "1.10.0" })]);
  assert.deepEqual(a.operations.specs("acme").map(({ version }) => version), ["1.10.0"]);
  assert.deepEqual(a.operations.specs("other"), []);
});
