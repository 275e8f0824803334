import assert from "node:assert/strict";
import { compile, type Json, type Plan } from "@alkdev/flowgraph";
import { CallError, type OperationSpec, OperationType } from "@alkdev/operations";
import { Type } from "@alkdev/typebox";
import { FlowCheck } from "./flow_check.ts";
import type { WorkflowCatalog, WorkflowVersion } from "./ports.ts";

function spec(name: string, output: OperationSpec["outputSchema"]): OperationSpec {
  const head = { namespace: "spoke", name, version: "1.0.0", type: OperationType.QUERY, description: "" };
  const inputSchema = Type.Object({ text: Type.String() });
  return { ...head, accessControl: { requiredScopes: [] }, inputSchema, outputSchema: output };
}

function version(name: string, outputSchema: Json | null = null): WorkflowVersion {
  // Nothing else of it is looked at.
  return { name, version: JSON.stringify(outputSchema), inputSchema: null, outputSchema } as WorkflowVersion;
}

function plan(...children: readonly object[]): Plan {
  return compile({ name: "w", template: { type: "sequential", children } }, {}).plan;
}

const call = (key: string, name: string, text: Json) => ({ type: "operation", props: { key, name, input: { text } } });

interface World {
  readonly flows: FlowCheck;
  readonly specs: Map<string, OperationSpec>;
  readonly children: Map<string, WorkflowVersion>;
  looked: number;
}

function world(): World {
  const specs = new Map<string, OperationSpec>();
  const children = new Map<string, WorkflowVersion>();
  const catalog: Pick<WorkflowCatalog, "get"> = { get: ({ name }) => Promise.resolve(children.get(name) ?? null) };
  const made: World = {
    specs,
    children,
    looked: 0,
    flows: new FlowCheck({
      operations: {
        spec: (orgId, id) => {
          made.looked++;
          return orgId === "acme" ? specs.get(id) : undefined;
        },
        list: () => [...specs.values()],
      },
      catalog: catalog as WorkflowCatalog,
    }),
  };
  return made;
}

function isRefusal(wanted: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof CallError);
    assert.equal(error.code, "WORKFLOW_INVALID");
    assert.match(error.message, wanted);
    return true;
  };
}

Deno.test("FlowCheck refuses an edge that cannot fit once a spoke offers its ends, in that organization only", () => {
  const { flows, specs } = world();
  const chain = plan(call("size", "spoke.size", "x"), call("upper", "spoke.upper", { $ref: "nodes.size" }));
  const check = (orgId = "acme") => flows.check(orgId, version("w"), chain);
  assert.equal(check(), undefined, "nothing is known of them");
  specs.set("spoke.size", spec("size", Type.Integer()));
  assert.equal(check(), undefined, "the reader is not known");
  specs.set("spoke.upper", spec("upper", Type.String()));
  assert.throws(
    check,
    isRefusal(
      /^Cannot start workflow "w": Data flow size -> upper: size is integer, but input\.text of spoke\.upper wants string/,
    ),
  );
  assert.equal(check("other"), undefined);
  specs.set("spoke.size", spec("size", Type.String()));
  assert.equal(check(), undefined, "the spoke came back with another schema");
});

Deno.test("FlowCheck does not look at a plan again while its operations are what they were", () => {
  const made = world();
  made.specs.set("spoke.upper", spec("upper", Type.String()));
  const many = plan(
    ...Array.from({ length: 50 }, (_, i) => call(`n${i}`, "spoke.upper", i === 0 ? "x" : { $ref: `nodes.n${i - 1}` })),
  );
  made.flows.check("acme", version("w"), many);
  const first = made.looked;
  made.flows.check("acme", version("w"), many);
  assert.equal(made.looked - first, 1, "one look per operation");
  assert.ok(first > 50);
});

Deno.test("FlowCheck knows what child workflows give", async () => {
  const { flows, specs, children } = world();
  specs.set("spoke.upper", spec("upper", Type.String()));
  const child = { type: "workflow", props: { key: "child", name: "report" } };
  const chain = plan(child, call("upper", "spoke.upper", { $ref: "nodes.child.pages" }));
  const check = async () => await flows.check("acme", version("w"), chain);
  await check();
  const pages = (type: string): Json => ({ type: "object", properties: { pages: { type } }, required: ["pages"] });
  children.set("report", version("report", pages("string")));
  await check();
  children.set("report", version("report", pages("number")));
  await assert.rejects(check, isRefusal(/child -> upper: child\.pages is number/));
});
