import assert from "node:assert/strict";
import { flowControlProblems } from "./flow_control.ts";
import { defineWorkflow } from "./workflow.ts";
import { createElement } from "./element.ts";

Deno.test("flowControlProblems() finds nothing wrong with what a workflow may say", () => {
  for (
    const flow of [
      {},
      { concurrency: { limit: 1 } },
      { concurrency: { limit: 5, key: "input.tenant" }, onConflict: "replace" },
      { rate: { limit: 10, per: "1m", key: { $ref: "input.user.id" } } },
      { debounce: { per: "5s", max: 60_000, key: `input.a + "/" + input.b` } },
    ]
  ) assert.deepEqual(flowControlProblems(flow), [], JSON.stringify(flow));
});

Deno.test("flowControlProblems() names every field that is wrong", () => {
  const paths = (flow: unknown) => flowControlProblems(flow).map(({ path }) => path);
  assert.deepEqual(paths(7), [""]);
  assert.deepEqual(paths({ concurency: {} }), ["/concurency"]);
  assert.deepEqual(paths({ concurrency: { limit: 0, kee: 1 } }), ["/concurrency/kee", "/concurrency/limit"]);
  assert.deepEqual(paths({ rate: { limit: 1.5, per: "soon", key: "nodes.a" } }), [
    "/rate/limit",
    "/rate/per",
    "/rate/key",
  ]);
  assert.deepEqual(paths({ debounce: { per: "1s", key: { $ref: "nodes.a" } } }), ["/debounce/key"]);
  assert.deepEqual(paths({ debounce: { per: "1s", key: "input." } }), ["/debounce/key"]);
  assert.deepEqual(paths({ onConflict: "reject" }), ["/onConflict"]);
  assert.deepEqual(paths({ concurrency: { limit: 1 }, onConflict: "wait" }), ["/onConflict"]);
});

Deno.test("defineWorkflow() refuses a flow that is none", () => {
  const template = createElement("operation", { name: "core.echo" });
  assert.deepEqual(defineWorkflow({ name: "w", template, flow: { concurrency: { limit: 2 } } }).flow, {
    concurrency: { limit: 2 },
  });
  assert.throws(
    () => defineWorkflow({ name: "w", template, flow: { concurrency: { limit: 0 } } }),
    new TypeError(
      'Cannot define workflow "w": "concurrency.limit" must be an integer from 1 to 1000000, it is 0 (at /flow/concurrency/limit)',
    ),
  );
});
