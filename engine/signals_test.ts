/** Answers that come before they are waited for. */
import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import type { SignalNode } from "@alkdev/flowgraph";
import { deferred, map, op, seq, TestEngine, type Tree } from "./testing/test_engine.ts";

const ask = (key: string, name = key): Tree => ({ type: "signal", props: { key, name } });
const go = (payload: unknown, name = "go") => ({ name, payload: payload as never, by: "ann" });

async function gated(...steps: readonly Tree[]) {
  const t = new TestEngine();
  const gate = deferred();
  t.handlers.set("t.gate", () => gate.promise);
  const runId = await t.start(seq(op("first", {}, "gate"), ...steps));
  await t.settle();
  return { t, runId, open: () => gate.resolve(1) };
}

Deno.test("Engine.answer() keeps an early answer, and the Signal uses it as soon as it is reached", async () => {
  const { t, runId, open } = await gated(ask("s", "go"));
  assert.equal(await t.engine.answer(runId, go({ n: 1 })), "kept");
  assert.equal(await t.engine.answer(runId, go({ n: 2 })), "already");
  assert.equal(await t.engine.answer(runId, go({ n: 2 }, "s")), "already");
  assert.equal(await t.engine.answer(runId, go({ n: 2 }, "other")), "unknown");
  open();
  const end = await t.end(runId);
  assert.deepEqual(end.type === "run.completed" && end.output, { n: 1 });
  assert.deepEqual(t.events(runId).slice(-2).map(({ type }) => type), ["signal.received", "run.completed"]);
});

Deno.test("an early answer is not lost with the hub", async () => {
  const { t, runId } = await gated(ask("s", "go"));
  await t.engine.answer(runId, go("yes"));
  await t.engine.stop(0);
  const next = new TestEngine({ store: t.store, clock: t.clock });
  next.handlers.set("t.gate", () => 1);
  for (const id of await next.lease.claim(10)) await next.engine.adopt(id);
  const end = await next.end(runId);
  assert.deepEqual(end.type === "run.completed" && end.output, "yes");
});

Deno.test("early answers are used in the order in which they came, each once", async () => {
  const { t, runId, open } = await gated(ask("a", "go"), ask("b", "go"));
  for (const [payload, outcome] of [[1, "kept"], [2, "kept"], [3, "already"]] as const) {
    assert.equal(await t.engine.answer(runId, go(payload)), outcome);
  }
  open();
  await t.end(runId);
  const used = t.events(runId).flatMap((event) => event.type === "signal.received" ? [[event.key, event.payload]] : []);
  assert.deepEqual(used, [["a", 1], ["b", 2]]);
});

Deno.test("Engine.answer() keeps an answer for an item of a Map that is not there yet, by its key", async () => {
  const { t, runId, open } = await gated(map({ key: "m", over: ["x", "y"] }, ask("s", "each")));
  assert.equal(await t.engine.answer(runId, go("second", "s[1]")), "kept");
  open();
  await t.settle();
  assert.equal(await t.engine.answer(runId, go("none", "s[2]")), "already");
  assert.equal(await t.engine.answer(runId, go("first", "s[0]")), "answered");
  const end = await t.end(runId);
  assert.deepEqual(end.type === "run.completed" && end.output, ["first", "second"]);
});

Deno.test("Engine.answer() keeps so many and so much, and no more", async () => {
  const many = map({ key: "m", over: Array.from({ length: 200 }, (_, i) => i) }, ask("s", "go"));
  const { t, runId } = await gated(many);
  for (let i = 0; i < 100; i++) assert.equal(await t.engine.answer(runId, go(i)), "kept");
  assert.equal(await t.engine.answer(runId, go(100)), "full");
  const large = await gated(many);
  for (const [size, outcome] of [[200_000, "kept"], [100_000, "full"], [1_000, "kept"]] as const) {
    assert.equal(await large.t.engine.answer(large.runId, go("x".repeat(size))), outcome);
  }
});

Deno.test("Engine.answer() records nothing when the check of the Signal's node throws, early or not", async () => {
  const { t, runId, open } = await gated(ask("s", "go"));
  const check = ({ key }: SignalNode): never => {
    throw new CallError("ACCESS_DENIED", `Not for ${key}`);
  };
  await assert.rejects(t.engine.answer(runId, { ...go(1), check }), { code: "ACCESS_DENIED" });
  open();
  await t.settle();
  await assert.rejects(t.engine.answer(runId, { ...go(1), check }), { code: "ACCESS_DENIED" });
  assert.ok(!t.events(runId).some(({ type }) => type === "signal.buffered" || type === "signal.received"));
});
