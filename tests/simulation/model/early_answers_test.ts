/** Which early answers the model takes, against what the engine does with them. */
import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import { deferred, op, par, seq, TestEngine, type Tree } from "../../../engine/testing/test_engine.ts";
import { applyEvent } from "./apply_event.ts";
import { RunModel } from "./run_model.ts";

/** A Loop that follows a failed node and asks for "shared", as the last child of a Parallel whose first is at work. */
async function answerToLoop(props: Readonly<Record<string, unknown>>) {
  const t = new TestEngine();
  const gate = deferred();
  t.handlers.set("t.busy", () => gate.promise);
  t.handlers.set("t.bad", () => Promise.reject(new CallError("BROKEN", "It is broken")));
  const ask: Tree = { type: "signal", props: { key: "s", name: "shared" } };
  const loop: Tree = {
    type: "loop",
    props: { key: "l", as: "turn", while: 'status.bad == "failed"', maxIterations: 2 },
    children: [ask],
  };
  const runId = await t.start(par([par([op("bad", {}, "bad"), op("busy", {}, "busy")]), seq(loop)], props));
  await t.settle();
  const outcome = await t.engine.answer(runId, { name: "shared", payload: 1, by: "ann" });
  await t.settle();
  const [created, ...events] = t.events(runId);
  assert.ok(created?.type === "run.created");
  const model = new RunModel(t.store.plans.get(created.planHash)!, created);
  for (const event of events) applyEvent(model, event);
  gate.resolve(1);
  await t.end(runId);
  return { outcome, model };
}

Deno.test("applyEvent() takes an answer to a Signal of a Loop that waits for a place, though what it follows has failed", async () => {
  const { outcome, model } = await answerToLoop({ maxConcurrency: 1 });
  assert.equal(outcome, "kept");
  assert.equal(model.early.length, 1);
});

Deno.test("applyEvent() takes no answer to a Signal of a Loop that has ended", async () => {
  const { outcome, model } = await answerToLoop({});
  assert.equal(outcome, "already");
  const late = { type: "signal.buffered", name: "shared", payload: 1, by: "ann" } as const;
  assert.throws(() => applyEvent(model, { runId: model.id, seq: model.seq + 1, at: 0, ...late }), { invariant: "I1" });
});
