import assert from "node:assert/strict";
import { Approval, Operation, Sequential, Workflow } from "../component/mod.ts";
import type { PlanNode } from "../plan.ts";
import { toTemplateJson } from "../template/to_template_json.ts";
import { defineWorkflow } from "../workflow.ts";
import { compile } from "./compile.ts";

function retryOf(node: PlanNode | undefined): unknown {
  return node?.kind === "operation" || node?.kind === "workflow"
    ? [node.retry?.maxAttempts ?? null, node.timeoutMs ?? null]
    : "none";
}

const steps = (
  <Sequential>
    <Operation name="core.echo" key="plain" />
    <Operation name="core.echo" key="own" retry={{ maxAttempts: 1 }} timeout={7} />
    <Workflow name="child" key="child" />
    <Approval question="well?" key="ask" />
  </Sequential>
);

Deno.test("compile() gives a workflow's retry and timeout to operations that say nothing of their own", () => {
  const { plan } = compile(defineWorkflow({ name: "t", retry: { maxAttempts: 5 }, timeout: "2s", template: steps }));
  assert.deepEqual(plan.nodes.map(retryOf), ["none", [5, 2_000], [1, 7], [null, null], "none"]);
  const ask = plan.nodes[4];
  assert.equal(ask?.kind === "signal" && ask.timeoutMs, undefined);
});

Deno.test("compile() reads them off the root of a JSON template, and they survive as JSON", () => {
  const { props: _, ...rest } = JSON.parse(JSON.stringify(steps));
  const template = { ...rest, props: { retry: { maxAttempts: 4, backoff: 10 }, timeout: 50 } };
  const { plan } = compile({ name: "t", template });
  assert.deepEqual(plan.nodes.map(retryOf), ["none", [4, 50], [1, 7], [null, null], "none"]);
  const again = compile({ name: "t", template: toTemplateJson(defineWorkflow({ name: "t", template })) });
  assert.equal(JSON.stringify(again.plan), JSON.stringify(plan));
});

Deno.test("compile() writes a policy per code out in full", () => {
  const retry = { maxAttempts: 2, backoff: 10, jitter: 0, perCode: { GONE: false, SLOW: { maxAttempts: 9 } } } as const;
  const { plan } = compile({ name: "t", template: <Operation name="core.echo" retry={retry} /> });
  const [node] = plan.nodes;
  const step = { backoff: { kind: "fixed", initialMs: 10, factor: 1, maxMs: 30_000 }, jitter: 0 };
  assert.deepEqual(node?.kind === "operation" && node.retry, {
    maxAttempts: 2,
    ...step,
    perCode: { GONE: { maxAttempts: 1, ...step }, SLOW: { maxAttempts: 9, ...step } },
  });
  const again = compile({ name: "t", template: toTemplateJson(<Operation name="core.echo" retry={retry} />) });
  assert.deepEqual(again.plan, plan);
});

for (
  const [what, retry] of [
    ["perCode.X", { maxAttempts: 2, perCode: { X: { on: [] } } }],
    ["perCode.X.maxAttempts", { maxAttempts: 2, perCode: { X: { maxAttempts: 0 } } }],
    ["perCode", { maxAttempts: 2, perCode: 5 }],
    ["0 ms or more", { maxAttempts: 2, perCode: { X: { backoff: -1 } } }],
  ] as const
) {
  Deno.test(`compile() refuses a retry whose ${what} is not one`, () => {
    const template = { type: "operation", props: { name: "core.echo", retry }, children: [] };
    assert.throws(() => compile({ name: "t", template }), (error: Error) => error.message.includes(what));
    assert.throws(
      () => defineWorkflow({ name: "t", retry: retry as never, template: steps }),
      (error: Error) => error.message.includes(what),
    );
  });
}
