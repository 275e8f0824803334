import assert from "node:assert/strict";
import { compile } from "@alkdev/flowgraph";
import { deferred, full, op, TestEngine } from "./testing/test_engine.ts";

Deno.test("Engine fails a run whose budget's time is over, with what and whose it is", async () => {
  const t = new TestEngine();
  const never = deferred();
  t.handlers.set("t.step", () => never.promise);
  const { plan, functions } = compile({ name: "w", template: full(op("a")) as object });
  const start = t.clock.now();
  const deadline = start + 50;
  const { runId } = await t.engine.start({
    workflow: "w",
    version: "v1",
    planHash: "p",
    plan,
    functions,
    input: {},
    caller: { identity: { id: "someone", scopes: [] }, orgId: "default" },
    deadline,
    budget: {
      own: null,
      above: [
        { runId: "outer", limits: { calls: 3 }, deadline: null, level: 0 },
        { runId: "middle", limits: { wallMs: 70 }, deadline, level: 1 },
      ],
    },
  });
  const end = await t.end(runId);
  assert.equal(t.clock.now(), deadline);
  assert.ok(end.type === "run.failed");
  assert.equal(end.error.code, "BUDGET_EXCEEDED");
  const details = end.error.details as Record<string, unknown>;
  assert.deepEqual([details.which, details.budgetRunId, details.limit], ["wallMs", "middle", 70]);
  assert.ok(t.calls[0]!.signal.aborted);
  assert.deepEqual(t.events(runId).map(({ type }) => type), [
    "run.created",
    "call.requested",
    "call.aborted",
    "run.failed",
  ]);
  assert.deepEqual(await t.statuses(runId), { a: "aborted" });
});
