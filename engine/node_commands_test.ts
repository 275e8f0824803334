/** Abort, pause, retry and give-up of one node with all that is in it. */
import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import { deferred, map, op, par, seq, TestEngine, type Tree, when } from "./testing/test_engine.ts";

const ABORT = { type: "abort", reason: "not needed", by: "ann" } as const;

/** Calls of `t.hang` never answer and never heed their signal. */
function hanging(limits = {}): TestEngine {
  const t = new TestEngine({ limits });
  t.handlers.set("t.hang", () => new Promise(() => {}));
  return t;
}

async function started(t: TestEngine, tree: Tree): Promise<string> {
  const runId = await t.start(tree);
  await t.settle();
  return runId;
}

function types(t: TestEngine, runId: string): readonly string[] {
  return t.events(runId).map((event) => "key" in event ? `${event.type} ${event.key}` : event.type);
}

Deno.test("Engine.actOnNode() aborts a container with its calls, and dependents as by a failure", async () => {
  const t = hanging();
  const inner = { ...par([op("x", {}, "hang"), op("y", {}, "hang")]), props: { key: "both" } };
  const runId = await started(t, par([seq(inner, op("after")), op("other")]));
  assert.equal(await t.engine.actOnNode(runId, { ...ABORT, key: "both" }), "done");
  assert.ok(t.calls.filter((call) => call.nodeKey !== "other").every((call) => call.signal.aborted));
  const end = await t.end(runId);
  assert.deepEqual(end.type === "run.failed" && end.error, {
    code: "ABORTED",
    message: "not needed",
    nodeKey: "both",
  });
  assert.deepEqual(await t.statuses(runId), { x: "aborted", y: "aborted", after: "aborted", other: "completed" });
  assert.ok(types(t, runId).includes("call.aborted x") && types(t, runId).includes("call.aborted y"));
});

for (const test of ['status.a == "aborted"', 'errors.a.code == "ABORTED"', 'status.both != "completed"']) {
  Deno.test(`a Conditional with ${test} goes on when the node it looks at is aborted`, async () => {
    const t = hanging();
    const both = { ...par([op("a", {}, "hang")]), props: { key: "both" } };
    const runId = await started(t, seq(both, when({ when: test }, op("mended"))));
    await t.engine.actOnNode(runId, { ...ABORT, key: test.includes("both") ? "both" : "a" });
    assert.equal((await t.end(runId)).type, "run.completed");
    assert.equal((await t.statuses(runId)).mended, "completed");
  });
}

Deno.test("Engine.actOnNode() aborts what has not begun when it is its turn, and nothing of it starts", async () => {
  const t = hanging();
  const gate = deferred();
  t.handlers.set("t.gate", () => gate.promise);
  const runId = await started(t, par([seq(op("first", {}, "gate"), op("second")), op("beside")]));
  assert.equal(await t.engine.actOnNode(runId, { ...ABORT, key: "second" }), "done");
  await t.settle();
  assert.equal(t.events(runId).at(-1)?.type, "node.aborted"); // the run goes on: first is under way
  gate.resolve(1);
  const end = await t.end(runId);
  assert.deepEqual(end.type === "run.failed" && [end.error.nodeKey, end.error.code], ["second", "ABORTED"]);
  assert.deepEqual(await t.statuses(runId), { first: "completed", second: "aborted", beside: "completed" });
});

Deno.test("Engine.actOnNode() aborts one item of a Map, and the others go on", async () => {
  const t = new TestEngine();
  t.handlers.set("t.some", (call) => call.nodeKey === "b[1]" ? new Promise(() => {}) : 1);
  const runId = await started(
    t,
    map({ key: "m", over: [1, 2, 3], maxConcurrency: 2 }, seq(op("a"), op("b", {}, "some"))),
  );
  assert.equal(await t.engine.actOnNode(runId, { ...ABORT, key: "m[1]" }), "done");
  await t.end(runId);
  const statuses = await t.statuses(runId);
  assert.deepEqual([statuses["a[1]"], statuses["b[1]"], statuses["b[2]"]], ["completed", "aborted", "completed"]);
});

/** A Map of three items, one at a time, whose first is under way until `gate` is resolved. */
async function heldBack(): Promise<{ t: TestEngine; runId: string; gate: PromiseWithResolvers<unknown> }> {
  const t = new TestEngine();
  const gate = deferred();
  t.handlers.set("t.some", (call) => call.nodeKey === "a[0]" ? gate.promise : 1);
  const body = seq(op("a", {}, "some"), op("b"));
  const runId = await started(t, map({ key: "m", over: [1, 2, 3], maxConcurrency: 1 }, body));
  return { t, runId, gate };
}

Deno.test("Engine.actOnNode() aborts an item that maxConcurrency holds back when it is its turn", async () => {
  const { t, runId, gate } = await heldBack();
  assert.equal(await t.engine.actOnNode(runId, { ...ABORT, key: "m[1]" }), "done");
  assert.equal(await t.engine.actOnNode(runId, { ...ABORT, key: "b[2]" }), "done");
  assert.equal(await t.engine.actOnNode(runId, { ...ABORT, key: "m[3]" }), "unknown");
  assert.equal(await t.engine.actOnNode(runId, { ...ABORT, key: "m[1.5]" }), "unknown");
  assert.equal(await t.engine.actOnNode(runId, { type: "nudge", by: "ann", key: "b[2]" }), "idle");
  gate.resolve(1);
  assert.equal((await t.end(runId)).type, "run.failed");
  const statuses = await t.statuses(runId);
  assert.deepEqual([statuses["b[0]"], statuses["a[1]"], statuses["b[1]"]], ["completed", "aborted", "aborted"]);
  assert.deepEqual([statuses["a[2]"], statuses["b[2]"]], ["completed", "aborted"]);
});

Deno.test("Engine.actOnNode() pauses and resumes an item that maxConcurrency holds back", async () => {
  const { t, runId, gate } = await heldBack();
  for (const key of ["m[1]", "m[2]"]) {
    assert.equal(await t.engine.actOnNode(runId, { type: "pause", by: "ann", key }), "done");
  }
  assert.equal(await t.engine.actOnNode(runId, { type: "resume", by: "ann", key: "m[2]" }), "done");
  gate.resolve(1);
  await t.settle();
  assert.deepEqual(t.calls.map(({ nodeKey }) => nodeKey), ["a[0]", "b[0]"]);
  assert.equal(await t.engine.actOnNode(runId, { type: "resume", by: "ann", key: "m[1]" }), "done");
  assert.equal((await t.end(runId)).type, "run.completed");
  assert.equal(types(t, runId).filter((type) => type.startsWith("node.paused")).length, 2);
});

Deno.test("Engine.actOnNode() gives the place of an aborted handler that ignores its signal away, and drops its answer", async () => {
  const t = new TestEngine({ limits: { maxInFlight: 1 } });
  const late = deferred();
  t.handlers.set("t.deaf", () => late.promise);
  const runId = await started(t, par([op("deaf", {}, "deaf"), op("next")]));
  assert.deepEqual(t.calls.map((call) => call.nodeKey), ["deaf"]);
  await t.engine.actOnNode(runId, { ...ABORT, key: "deaf" });
  await t.end(runId);
  late.resolve("too late");
  await t.settle();
  assert.deepEqual(await t.statuses(runId), { deaf: "aborted", next: "completed" });
  assert.equal(types(t, runId).filter((type) => type.startsWith("call.responded")).length, 1);
  assert.equal(t.engine.stats().inFlight, 0);
});

Deno.test("Engine.actOnNode() says what it cannot act on", async () => {
  const t = hanging();
  const runId = await started(t, seq(op("a"), op("b", {}, "hang")));
  assert.equal(await t.engine.actOnNode(runId, { ...ABORT, key: "nothing" }), "unknown");
  assert.equal(await t.engine.actOnNode(runId, { ...ABORT, key: "a" }), "ended");
  assert.equal(await t.engine.actOnNode(runId, { type: "nudge", by: "ann", key: "b" }), "idle");
  assert.equal(await t.engine.actOnNode("other", { ...ABORT, key: "a" }), null);
});

Deno.test("a paused node starts nothing, lets what is under way end, and goes on when it is resumed", async () => {
  const t = new TestEngine();
  const gate = deferred();
  t.handlers.set("t.gate", () => gate.promise);
  const held = { ...seq(op("a", {}, "gate"), op("b")), props: { key: "held" } };
  const runId = await started(t, par([held, seq(op("c"), op("d"))]));
  assert.equal(await t.engine.actOnNode(runId, { type: "pause", key: "held", by: "ann" }), "done");
  gate.resolve(1);
  await t.settle();
  assert.deepEqual(await t.statuses(runId), { a: "completed", b: "ready", c: "completed", d: "completed" });
  // The run's own pause is another one: ending it does not let the node go.
  await t.engine.setPaused(runId, true, "ann");
  await t.engine.setPaused(runId, false, "ann");
  await t.settle();
  assert.equal((await t.statuses(runId)).b, "ready");
  await t.engine.setPaused(runId, true, "ann");
  await t.engine.actOnNode(runId, { type: "resume", key: "held", by: "ann" });
  await t.settle();
  assert.equal((await t.statuses(runId)).b, "ready");
  await t.engine.setPaused(runId, false, "ann");
  assert.equal((await t.end(runId)).type, "run.completed");
});

Deno.test("a paused node holds back calls that wait for room, and stays paused after a restart", async () => {
  const t = new TestEngine({ limits: { maxInFlight: 1 } });
  const gate = deferred();
  t.handlers.set("t.gate", () => gate.promise);
  const held = { ...par([op("b"), op("c")]), props: { key: "held" } };
  const runId = await started(t, par([op("a", {}, "gate"), held]));
  await t.engine.actOnNode(runId, { type: "pause", key: "held", by: "ann" });
  gate.resolve(1);
  await t.settle();
  assert.deepEqual(t.calls.map((call) => call.nodeKey), ["a"]);
  await t.engine.stop(0);
  const next = new TestEngine({ store: t.store, clock: t.clock });
  for (const id of await next.lease.claim(10)) await next.engine.adopt(id);
  await next.settle();
  assert.deepEqual(next.calls, []);
  await next.engine.actOnNode(runId, { type: "resume", key: "held", by: "ann" });
  assert.equal((await next.end(runId)).type, "run.completed");
});

function failing(): TestEngine {
  const t = new TestEngine();
  t.handlers.set("t.flaky", (call) => {
    if (call.attempt === 1) throw new CallError("FLAKY", "not yet");
    return "good";
  });
  return t;
}

const LONG = { retry: { maxAttempts: 3, backoff: { kind: "fixed", initialMs: 3_600_000 } } };

Deno.test("Engine.actOnNode() tries a waiting node again at once when it is nudged", async () => {
  const t = failing();
  const runId = await started(t, op("a", LONG, "flaky"));
  assert.equal(await t.engine.actOnNode(runId, { type: "nudge", key: "a", by: "ann" }), "done");
  const end = await t.end(runId);
  assert.equal(end.type, "run.completed");
  assert.ok(end.at < 1_000_000 + t.events(runId)[0]!.at);
  assert.deepEqual(t.calls.map((call) => call.attempt), [1, 2]);
});

Deno.test("a nudge that is durable is not lost with the hub", async () => {
  const t = failing();
  const runId = await started(t, op("a", LONG, "flaky"));
  await t.engine.actOnNode(runId, { type: "pause", key: "a", by: "ann" });
  await t.engine.actOnNode(runId, { type: "nudge", key: "a", by: "ann" });
  await t.engine.stop(0);
  const next = new TestEngine({ store: t.store, clock: t.clock });
  next.handlers.set("t.flaky", () => "good");
  for (const id of await next.lease.claim(10)) await next.engine.adopt(id);
  await next.engine.actOnNode(runId, { type: "resume", key: "a", by: "ann" });
  const before = t.clock.now();
  assert.equal((await next.end(runId)).type, "run.completed");
  assert.ok(t.clock.now() - before < 1_000);
});

Deno.test("a node that was nudged twice while it was held back is tried once", async () => {
  const t = failing();
  const runId = await started(t, op("a", LONG, "flaky"));
  await t.engine.actOnNode(runId, { type: "pause", key: "a", by: "ann" });
  for (let i = 0; i < 2; i++) {
    await t.engine.actOnNode(runId, { type: "nudge", key: "a", by: "ann" });
    t.clock.advance(1);
    await t.settle();
  }
  await t.engine.actOnNode(runId, { type: "resume", key: "a", by: "ann" });
  assert.equal((await t.end(runId)).type, "run.completed");
  assert.deepEqual(t.calls.map((call) => call.attempt), [1, 2]);
});

Deno.test("Engine.actOnNode() fails a waiting node with GIVEN_UP and its last error", async () => {
  const t = failing();
  const runId = await started(t, op("a", LONG, "flaky"));
  assert.equal(await t.engine.actOnNode(runId, { type: "give-up", key: "a", by: "ann" }), "done");
  const end = await t.end(runId);
  assert.deepEqual(end.type === "run.failed" && end.error, {
    code: "GIVEN_UP",
    message: "Given up after 1 attempt: not yet",
    details: { by: "ann", attempts: 1, error: { code: "FLAKY", message: "not yet" } },
    nodeKey: "a",
  });
});

Deno.test("Engine.abort() starts no call that waited for room, and says nothing of it", async () => {
  const t = hanging({ maxInFlight: 2 });
  const runId = await started(t, par(Array.from({ length: 50 }, (_, i) => op(`n${i}`, {}, "hang"))));
  await t.engine.abort(runId, { reason: "enough", by: "ann" });
  await t.settle();
  assert.deepEqual(t.calls.map((call) => call.nodeKey), ["n0", "n1"]);
  assert.equal(types(t, runId).filter((type) => type.startsWith("call.aborted")).length, 2);
  assert.equal(t.engine.stats().queued, 0);
});
