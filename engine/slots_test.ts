/** Limits that hold back without holding for ever. */
import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import { deferred, op, par, seq, TestEngine } from "./testing/test_engine.ts";

Deno.test("Parallel with a limit gives no slot to a child that waits inside for a sibling", async () => {
  const t = new TestEngine();
  // c starts first but reads b, and b is held up by a: with c in the only slot, b would never run.
  const end = await t.run(
    par([
      op("a"),
      op("b", { input: { $ref: "nodes.a" } }),
      seq(op("c"), op("d", { input: { $ref: "nodes.b" } })),
    ], { maxConcurrency: 1 }),
  );
  assert.equal(end.type, "run.completed");
  assert.deepEqual(t.calls.map((call) => call.nodeKey), ["a", "b", "c", "d"]);
});

Deno.test("Parallel with a limit sees a wait for a sibling that goes through a node outside", async () => {
  const t = new TestEngine();
  const inner = par([
    seq(op("x"), op("y", { input: { $ref: "nodes.out" } })),
    op("b"),
  ], { maxConcurrency: 1 });
  const end = await t.run(par([inner, op("out", { input: { $ref: "nodes.b" } })]));
  assert.equal(end.type, "run.completed");
  assert.deepEqual(t.calls.map((call) => call.nodeKey), ["b", "out", "x", "y"]);
});

Deno.test("Parallel with a limit goes on when the sibling that was waited for fails", async () => {
  const t = new TestEngine();
  t.handlers.set("t.fail", () => {
    throw new CallError("BOOM", "always");
  });
  const end = await t.run(
    par([op("a", {}, "fail"), seq(op("c"), op("d", { input: { $ref: "nodes.a" } }))], { maxConcurrency: 1 }),
  );
  assert.deepEqual(end.type === "run.failed" && [end.error.nodeKey, end.counts.completed], ["a", 1]);
});

Deno.test("Engine.setPaused() holds back a call that waits for room", async () => {
  const t = new TestEngine({ limits: { maxInFlight: 1 } });
  const first = deferred();
  t.handlers.set("t.first", () => first.promise);
  const runId = await t.start(par([op("a", {}, "first"), op("b")]));
  await t.settle();
  await t.engine.setPaused(runId, true, "me");
  first.resolve(1);
  await t.settle();
  assert.deepEqual(t.calls.map((call) => call.nodeKey), ["a"]);
  await t.engine.setPaused(runId, false, "me");
  assert.equal((await t.end(runId)).type, "run.completed");
  assert.deepEqual(t.calls.map((call) => call.nodeKey), ["a", "b"]);
});

Deno.test("a node that succeeds on a later attempt has no error to be seen", async () => {
  const t = new TestEngine();
  t.handlers.set("t.flaky", (call) => {
    if (call.attempt === 1) throw new CallError("FLAKY", "first");
    return 1;
  });
  const end = await t.run(
    seq(
      op("a", { retry: { maxAttempts: 2, backoff: 1, jitter: 0 } }, "flaky"),
      op("b", { input: { $ref: "errors.a.code" } }),
    ),
  );
  assert.equal(end.type === "run.completed" && end.output, null);
});

Deno.test("Engine.answer() keeps the answer to a Signal that still waits for its slot", async () => {
  const t = new TestEngine();
  const first = deferred();
  t.handlers.set("t.first", () => first.promise);
  const signal = { type: "signal", props: { key: "go", name: "go" } };
  const runId = await t.start(par([op("a", {}, "first"), signal], { maxConcurrency: 1 }));
  await t.settle();
  assert.equal(await t.engine.answer(runId, { name: "go", payload: 2, by: "me" }), "kept");
  first.resolve(1);
  await t.settle();
  const end = await t.end(runId);
  assert.deepEqual(end.type === "run.completed" && end.output, [1, 2]);
});

Deno.test("Engine.start() is refused when the hub stops while the plan is being stored", async () => {
  const stored = deferred<void>();
  const t = new TestEngine({ wrapPlans: (plans) => ({ ...plans, put: () => stored.promise }) });
  const started = assert.rejects(t.start(op("a")), { code: "OVERLOADED" });
  await t.engine.stop(0);
  stored.resolve();
  await started;
});

Deno.test("a node whose retry a lost Race cut short has no error to be seen", async () => {
  const t = new TestEngine();
  const win = deferred();
  t.handlers.set("t.fail", () => {
    throw new CallError("BOOM", "always");
  });
  t.handlers.set("t.win", () => win.promise);
  const retry = { maxAttempts: 2, backoff: 60_000, jitter: 0 };
  const runId = await t.start(
    seq(
      { type: "race", children: [op("a", { retry }, "fail"), op("b", {}, "win")] },
      op("c", { input: [{ $ref: "status.a" }, { $ref: "errors.a.code" }] }),
    ),
  );
  await t.settle();
  win.resolve(1);
  const end = await t.end(runId);
  assert.deepEqual(end.type === "run.completed" && end.output, ["aborted", null]);
});
