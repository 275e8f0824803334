import assert from "node:assert/strict";
import { signal } from "@preact/signals-core";
import { Type } from "@alkdev/typebox";
import {
  Approval,
  Loop,
  Map,
  Operation,
  Parallel,
  Race,
  Signal,
  Sleep,
  SleepUntil,
  Workflow,
} from "../component/mod.ts";
import { $input, errorRef, ref, statusRef } from "../reference.ts";
import { serializable } from "../serializable.ts";
import { TemplateError } from "../template_error.ts";
import { toTemplateJson } from "../template/to_template_json.ts";
import { compile } from "./compile.ts";

Deno.test("compile() makes nodes of waits, child runs and races", () => {
  const { plan } = compile({
    name: "t",
    template: (
      <Race>
        <Sleep ms="5m" />
        <SleepUntil until={$input.at} title="until then" />
        <Signal name="order-paid" timeout="1d" schema={Type.Object({ sum: Type.Number() })} />
        <Approval question={{ text: "Go?", of: $input.who }} answerers={["ops"]} />
        <Workflow name="child" version="2" input={{ n: 1 }} retry={{ maxAttempts: 2 }} />
      </Race>
    ),
  });
  const json = JSON.parse(JSON.stringify(plan.nodes.slice(1)));
  for (const node of json) for (const name of ["parent", "end"]) delete node[name];
  assert.deepEqual(json, [
    { key: "sleep", kind: "sleep", ms: 300_000 },
    { key: "sleep_2", title: "until then", kind: "sleep", until: { $ref: "input.at" } },
    {
      key: "order-paid",
      kind: "signal",
      signal: "order-paid",
      timeoutMs: 86_400_000,
      schema: { type: "object", required: ["sum"], properties: { sum: { type: "number" } } },
    },
    {
      key: "approval",
      kind: "signal",
      signal: "approval",
      question: { text: "Go?", of: { $ref: "input.who" } },
      answerers: ["ops"],
    },
    {
      key: "child",
      kind: "workflow",
      workflow: "child",
      version: "2",
      input: { n: 1 },
      retry: {
        maxAttempts: 2,
        backoff: { kind: "exponential", initialMs: 200, factor: 2, maxMs: 30_000 },
        jitter: 0.2,
      },
    },
  ]);
});

Deno.test("compile() orders what reads statuses, errors, questions and concurrency keys", () => {
  const { plan } = compile({
    name: "t",
    template: (
      <Parallel>
        <Operation name="x.a" key="a" />
        <Operation name="x.b" key="b" input={{ status: statusRef("a") }} />
        <Operation name="x.c" key="c" input={errorRef("b").code} />
        <Operation name="x.d" key="d" concurrencyKey={ref("c")} />
        <Approval name="ok" key="e" question={ref("d")} />
        <Sleep key="f" ms={ref("e").ms} />
        <Workflow name="child" key="g" input={ref("f")} />
        <Loop key="h" while="status.g == 'completed'" maxIterations={2}>
          <Operation name="x.h" />
        </Loop>
      </Parallel>
    ),
  });
  assert.deepEqual(plan.nodes.map(({ after }) => after?.[0]), [undefined, undefined, 1, 2, 3, 4, 5, 6, 7, undefined]);
});

Deno.test("compile() reads a signal given as over when the Map begins", () => {
  const files = signal(["a"]);
  const template = (
    <Map key="m" over={files} as="file">
      <Operation name="x.a" />
    </Map>
  );
  const { plan, functions } = compile({ name: "t", template });
  assert.deepEqual(plan.nodes[0]?.kind === "map" && plan.nodes[0].over, { $fn: "m.over" });
  files.value = ["b", "c"];
  assert.deepEqual(functions.get("m.over")?.({}), ["b", "c"]);
  assert.equal(serializable(template), false);
  assert.throws(() => toTemplateJson(template), TemplateError);
});

Deno.test("compile() refuses instants that are none", () => {
  assert.throws(() => compile({ name: "t", template: <SleepUntil until="tomorrow" /> }), /must be an ISO 8601 instant/);
});
