/** What the next owner of a run must not do again, and must not do early. */
import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import { MemoryStore } from "./memory/mod.ts";
import type { EventLog } from "./mod.ts";
import { deferred, op, par, seq, TestEngine, type Tree } from "./testing/test_engine.ts";

/** Starts a run, lets it come to rest, and gives it to a second engine. */
async function handOver(tree: Tree, prepare: (t: TestEngine) => void, restMs: number) {
  const store = new MemoryStore();
  const first = new TestEngine({ store });
  prepare(first);
  const runId = await first.start(tree);
  await first.settle(8);
  first.clock.advance(restMs);
  await first.settle(8);
  const second = new TestEngine({ store, clock: first.clock });
  prepare(second);
  assert.deepEqual(await second.lease.claim(10), [runId]);
  await second.engine.adopt(runId);
  await second.settle(8);
  return { second, runId };
}

function count(t: TestEngine, runId: string, type: string): number {
  return t.events(runId).filter((event) => event.type === type).length;
}

Deno.test("Engine.adopt() leaves a Sleep's timer and a Signal's wait as they were", async () => {
  const tree = par([
    { type: "sleep", props: { key: "nap", ms: 1_000 } },
    { type: "signal", props: { key: "go", name: "go", timeout: 1_500 } },
  ]);
  const { second, runId } = await handOver(tree, () => {}, 900);
  const start = second.events(runId)[0]!.at;
  const end = await second.end(runId);
  assert.equal(count(second, runId, "timer.set"), 1);
  assert.equal(count(second, runId, "signal.awaited"), 1);
  assert.equal(end.at - start, 1_500);
});

Deno.test("Engine.adopt() makes no attempt before it is due", async () => {
  const fail = (t: TestEngine) =>
    void t.handlers.set("t.fail", () => {
      throw new CallError("BOOM", "always");
    });
  const tree = op("a", { retry: { maxAttempts: 2, backoff: 1_000, jitter: 0 } }, "fail");
  const { second, runId } = await handOver(tree, fail, 500);
  assert.equal(second.calls.length, 0);
  await second.end(runId);
  assert.deepEqual(second.calls.map((call) => call.attempt), [2]);
});

Deno.test("Engine.adopt() starts no turn of a Loop that has been decided", async () => {
  const tree: Tree = {
    type: "loop",
    props: { key: "l", while: "true", maxIterations: 3 },
    children: [op("a", {}, "second")],
  };
  const hang = (t: TestEngine) =>
    void t.handlers.set("t.second", (call) => call.nodeKey === "a[1]" ? new Promise(() => {}) : 1);
  const { second, runId } = await handOver(tree, hang, 0);
  assert.equal(count(second, runId, "loop.turned"), 1);
  assert.deepEqual(second.calls.map((call) => call.nodeKey), ["a[1]"]);
});

Deno.test("a Loop whose condition cannot be evaluated fails, and what follows can catch it", async () => {
  const loop: Tree = {
    type: "loop",
    props: { key: "l", while: "nodes.a.missing > 1", maxIterations: 3 },
    children: [op("a", { input: { n: 1 } })],
  };
  const t = new TestEngine();
  const end = await t.run(seq(loop, op("b")));
  assert.equal(end.type === "run.failed" && end.error.nodeKey, "l");
  const caught = await t.run(
    seq(loop, { type: "conditional", props: { key: "c", when: 'status.l == "failed"' }, children: [op("b")] }),
  );
  assert.equal(caught.type, "run.completed");
});

Deno.test("DispatchedCall.signal is aborted when a handler asks for it after its call was given up", async () => {
  const t = new TestEngine();
  const go = deferred();
  const aborted = deferred<boolean>();
  t.handlers.set("t.late", async (call) => {
    await go.promise;
    aborted.resolve(call.signal.aborted);
  });
  const runId = await t.start(op("a", {}, "late"));
  await t.settle();
  await t.engine.abort(runId, { reason: "enough", by: "me" });
  go.resolve(null);
  assert.equal(await aborted.promise, true);
});

Deno.test("a retry that is due at once waits until the failure before it is durable", async () => {
  const gate = deferred<void>();
  let commits = 0;
  const wrapLog = (log: EventLog): EventLog => ({
    ...log,
    commit: async (batch) => {
      if (++commits === 2) await gate.promise;
      return await log.commit(batch);
    },
  });
  const t = new TestEngine({ wrapLog });
  t.handlers.set("t.fail", () => {
    throw new CallError("BOOM", "always");
  });
  const runId = await t.start(op("a", { retry: { maxAttempts: 2, backoff: 0, jitter: 0 } }, "fail"));
  await t.settle();
  t.clock.advance(10);
  await t.settle();
  assert.equal(t.calls.length, 1);
  gate.resolve();
  const end = await t.end(runId);
  assert.equal(end.type, "run.failed");
  assert.equal(t.calls.length, 2);
});
