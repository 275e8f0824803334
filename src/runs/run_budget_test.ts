import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import type { EventOf } from "../../engine/mod.ts";
import { RunScript } from "../../tests/conformance/fixtures.ts";
import { budgetOfStart, budgetsOf, tightest } from "./run_budget.ts";

function created(level: number, budget: ReturnType<typeof budgetOfStart>["budget"]): EventOf<"run.created"> {
  const [event] = new RunScript().created({
    labels: level === 0 ? {} : { "hub.depth": String(level) },
    ...(budget !== undefined && { budget }),
  }).events;
  assert.ok(event?.type === "run.created");
  return event;
}

Deno.test("budgetOfStart() says nothing for a run that no budget holds for", () => {
  assert.deepEqual(budgetOfStart({ limits: null, parent: null, now: 5 }), {});
  assert.deepEqual(budgetOfStart({ limits: null, parent: created(0, undefined), now: 5 }), {});
});

Deno.test("budgetOfStart() hands down every budget above, and never a later deadline", () => {
  const root = created(0, budgetOfStart({ limits: { calls: 9, wallMs: 100 }, parent: null, now: 1000 }).budget);
  const start = budgetOfStart({ limits: { wallMs: 500 }, parent: root, now: 1050 });
  assert.equal(start.deadline, 1100);
  const child = created(1, start.budget);
  assert.deepEqual(budgetsOf(child).map(({ runId, deadline, level }) => [runId, deadline, level]), [
    [root.runId, 1100, 0],
    [child.runId, 1550, 1],
  ]);
  const leaf = budgetOfStart({ limits: null, parent: child, now: 1060 });
  assert.equal(leaf.deadline, 1100);
  assert.equal(leaf.budget?.above.length, 2);
});

Deno.test("budgetOfStart() refuses a run that is deeper than a budget above allows", () => {
  const root = created(0, budgetOfStart({ limits: { depth: 1 }, parent: null, now: 0 }).budget);
  const child = created(1, budgetOfStart({ limits: null, parent: root, now: 0 }).budget);
  assert.throws(() => budgetOfStart({ limits: null, parent: child, now: 0, node: "deeper" }), (error) => {
    assert.ok(error instanceof CallError);
    assert.equal(error.code, "BUDGET_EXCEEDED");
    assert.deepEqual(error.details, {
      which: "depth",
      budgetRunId: root.runId,
      limit: 1,
      spent: 1,
      reserved: 0,
      wanted: 1,
      node: "deeper",
    });
    return true;
  });
});

Deno.test("tightest() takes the smaller limit of each kind", () => {
  assert.deepEqual(tightest({ calls: 3, depth: 0 }, undefined, { calls: 5, tokens: 7 }), {
    calls: 3,
    tokens: 7,
    depth: 0,
  });
  assert.equal(tightest(undefined, {}), null);
});
