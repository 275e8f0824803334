import assert from "node:assert/strict";
import fc from "fast-check";
import { compile } from "../compile/compile.ts";
import { Conditional, Map, Operation, Parallel, Sequential, Workflow } from "../component/mod.ts";
import { itemRef, ref } from "../reference.ts";
import { serializable } from "../serializable.ts";
import { TemplateError } from "../template_error.ts";
import { defineWorkflow } from "../workflow.ts";
import { parseTemplate } from "./parse_template.ts";
import { planToTemplate } from "./plan_to_template.ts";
import { templateArbitrary } from "./template_arbitrary.ts";
import { toTemplateJson } from "./to_template_json.ts";

Deno.test("toTemplateJson() writes the canonical form when the template is TSX", () => {
  const json = toTemplateJson(
    <Workflow output={ref("last").value} failurePolicy="abort-dependents">
      <Operation name="core.echo" input={{ value: 1 }} timeout="5s" retry={{ maxAttempts: 3 }} />
      <Map over={ref("core_echo").items} as="file">
        <Operation name="fs.read" input={{ path: itemRef("file").path }} />
        <Operation name="core.echo" key="last" input={{ value: ref("fs_read").text }} />
      </Map>
    </Workflow>,
  );
  assert.deepEqual(json, {
    type: "sequential",
    props: { output: { $ref: "nodes.last.value" }, failurePolicy: "abort-dependents" },
    children: [
      {
        type: "operation",
        props: {
          key: "core_echo",
          name: "core.echo",
          input: { value: 1 },
          retry: {
            maxAttempts: 3,
            backoff: { kind: "exponential", initialMs: 200, factor: 2, maxMs: 30000 },
            jitter: 0.2,
          },
          timeout: 5000,
        },
        children: [],
      },
      {
        type: "map",
        props: { over: { $ref: "nodes.core_echo.items" }, as: "file" },
        children: [
          {
            type: "operation",
            props: { key: "fs_read", name: "fs.read", input: { path: { $ref: "file.path" } } },
            children: [],
          },
          {
            type: "operation",
            props: { key: "last", name: "core.echo", input: { value: { $ref: "nodes.fs_read.text" } } },
            children: [],
          },
        ],
      },
    ],
  });
});

Deno.test("planToTemplate() gives the same bytes when a template goes to JSON, plan and back", () => {
  fc.assert(
    fc.property(templateArbitrary(), (template) => {
      let plan;
      try {
        ({ plan } = compile({ name: "t", template }));
      } catch (error) {
        // A reference between the branches of one Conditional is the only problem the generator can make.
        assert(error instanceof TemplateError);
        assert(error.problems.every(({ code }) => code === "unreachable-reference"), error.message);
        return;
      }
      const bytes = JSON.stringify(planToTemplate(plan));
      const parsed = parseTemplate(JSON.parse(bytes));
      assert.deepEqual(parsed.problems, []);
      const again = compile({ name: "t", template: parsed.template }).plan;
      assert.equal(JSON.stringify(again), JSON.stringify(plan));
      assert.equal(JSON.stringify(planToTemplate(again)), bytes);
      assert.equal(JSON.stringify(toTemplateJson(parsed.template)), bytes);
    }),
    { numRuns: 300 },
  );
});

Deno.test("toTemplateJson() says which prop is a function when the template has one", () => {
  const template = (
    <Sequential>
      <Conditional key="c" test={() => true}>
        <Operation name="x.a" input={{ deep: [() => 7] }} />
      </Conditional>
    </Sequential>
  );
  assert.equal(serializable(template), false);
  assert.throws(() => toTemplateJson(template), (error) => {
    assert(error instanceof TemplateError);
    assert.deepEqual(error.problems.map(({ code, path }) => [code, path]), [
      ["not-serializable", "/children/0/props/test"],
      ["not-serializable", "/children/0/children/0/props/input/deep/0"],
    ]);
    return true;
  });
  const made = defineWorkflow({ name: "w", template: () => <Parallel /> });
  assert.throws(() => toTemplateJson(made), /is a function of the input/);
});

Deno.test("parseTemplate() finds every problem when JSON is no template", () => {
  assert.equal(parseTemplate(7).problems[0]?.code, "wrong-type");
  const { template, problems } = parseTemplate({
    type: "sequential",
    colour: 1,
    props: { output: { $ref: "nodes.a" }, maxConcurrency: 2 },
    children: [
      "text",
      { type: "operation", props: { output: { $ref: "nodes.a" } }, children: [{ type: "race" }] },
      { type: "map", props: { over: 3, as: "input", constructor: 1 } },
      { type: "conditional" },
      { type: "sleep", props: { ms: -1, key: "__proto__" } },
      { type: "operation", props: { name: "x", retry: { maxAttempts: 0 }, spoke: { os: 1 } } },
    ],
  });
  assert.equal(template, null);
  assert.deepEqual(problems.map(({ code, path }) => `${code} ${path}`), [
    "unknown-prop /colour",
    "unknown-prop /props/maxConcurrency",
    "bad-child /children/0",
    "unknown-prop /children/1/props/output",
    "missing-prop /children/1/props/name",
    "bad-child /children/1/children",
    "wrong-type /children/2/props/over",
    "wrong-type /children/2/props/as",
    "unknown-prop /children/2/props/constructor",
    "missing-prop /children/3/props",
    "wrong-type /children/4/props/ms",
    "wrong-type /children/5/props/retry",
    "wrong-type /children/5/props/spoke",
    "bad-key /children/4/props/key",
  ]);
});

Deno.test("parseTemplate() stops when elements are nested too deep", () => {
  let json: unknown = { type: "sequential" };
  for (let i = 0; i < 5000; i++) json = { type: "sequential", children: [json] };
  assert.deepEqual(parseTemplate(json).problems.map(({ code }) => code), ["too-deep"]);
});
