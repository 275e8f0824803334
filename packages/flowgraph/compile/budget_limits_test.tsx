import assert from "node:assert/strict";
import { Operation, Sequential, Workflow } from "../component/mod.ts";
import { toTemplateJson } from "../template/to_template_json.ts";
import { TemplateError } from "../template_error.ts";
import { defineWorkflow } from "../workflow.ts";
import { compile } from "./compile.ts";

Deno.test("compile() puts a definition's budget into the plan, and a child's into its node", () => {
  const definition = defineWorkflow({
    name: "t",
    budget: { depth: 2, wallMs: "1m", calls: 10 },
    template: <Workflow key="child" name="other" budget={{ tokens: 5, costMicros: 0 }} />,
  });
  const { plan } = compile(definition);
  assert.equal(JSON.stringify(plan.budget), '{"calls":10,"wallMs":60000,"depth":2}');
  const [node] = plan.nodes;
  assert.deepEqual(node?.kind === "workflow" && node.budget, { tokens: 5, costMicros: 0 });
});

Deno.test("compile() reads the budget of a root, and it survives as JSON", () => {
  const template = (
    <Workflow budget={{ calls: 3 }}>
      <Operation name="core.echo" />
    </Workflow>
  );
  const { plan } = compile({ name: "t", template });
  assert.deepEqual(plan.budget, { calls: 3 });
  const again = compile({ name: "t", template: toTemplateJson(template) });
  assert.equal(JSON.stringify(again.plan), JSON.stringify(plan));
  assert.equal("budget" in compile({ name: "t", template: <Operation name="core.echo" /> }).plan, false);
});

Deno.test("compile() refuses a budget that is none, or that stands where no run begins", () => {
  const problems = (props: object) => {
    try {
      compile({ name: "t", template: { type: "sequential", props, children: [] } });
      return "none";
    } catch (error) {
      assert.ok(error instanceof TemplateError);
      return error.problems[0]?.message ?? "";
    }
  };
  assert.match(problems({ budget: { calls: -1 } }), /a whole number of 0 or more as "calls"/);
  assert.match(problems({ budget: { calls: 1.5 } }), /a whole number/);
  assert.match(problems({ budget: { money: 1 } }), /not "money"/);
  assert.match(problems({ budget: { wallMs: "soon" } }), /a duration as "wallMs"/);
  const inner = (
    <Sequential>{{ type: "sequential", props: { budget: { calls: 1 } }, children: [] } as never}</Sequential>
  );
  assert.throws(() => compile({ name: "t", template: inner }), /Unknown prop "budget"/);
  assert.throws(
    () => defineWorkflow({ name: "t", budget: { calls: -1 }, template: <Operation name="core.echo" /> }),
    /"budget" must be a whole number of 0 or more as "calls"/,
  );
});
