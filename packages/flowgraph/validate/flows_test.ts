import assert from "node:assert/strict";
import { type OperationSpec, OperationType } from "@alkdev/operations";
import { type TSchema, Type } from "@alkdev/typebox";
import { compile } from "../compile/compile.ts";
import { flowProblems, validate, type WorkflowSchemas } from "./validate.ts";

const operations = new Map<string, OperationSpec>();
function define(id: string, inputSchema: TSchema, outputSchema: TSchema): void {
  const [namespace = "", name = ""] = id.split(".");
  const head = { namespace, name, version: "1.0.0", type: OperationType.QUERY, description: "" };
  operations.set(id, { ...head, accessControl: { requiredScopes: [] }, inputSchema, outputSchema });
}
define(
  "text.upper",
  Type.Object({ text: Type.String() }),
  Type.Object({ text: Type.String(), length: Type.Integer() }),
);
define("any.echo", Type.Object({ value: Type.Unknown() }), Type.Object({ value: Type.Unknown() }));

const workflows = new Map<string, WorkflowSchemas>([["report", {
  inputSchema: Type.Object({ title: Type.String({ default: "Report" }), pages: Type.Integer() }),
  outputSchema: { type: "object", properties: { url: { type: "string" } }, required: ["url"] },
}]]);

const options = {
  operations: (id: string) => operations.get(id),
  workflows: (name: string) => workflows.get(name),
};

function op(key: string, ref: string, name = "text.upper", field = "text"): object {
  return { type: "operation", props: { name, key, input: { [field]: { $ref: ref } } } };
}

function problems(...children: readonly object[]): readonly string[] {
  const template = { type: "sequential", children };
  return validate({ name: "w", template }, options).map(({ code, node, message }) => `${code} ${node}: ${message}`);
}

Deno.test("validate() checks what flows out of and into a child workflow by its schemas", () => {
  const child = (key: string, input: object) => ({ type: "workflow", props: { name: "report", key, input } });
  assert.deepEqual(problems(child("r", { pages: 3 }), op("a", "nodes.r.url")), []);
  assert.deepEqual(
    problems(
      child("r", { pages: 3 }),
      op("whole", "nodes.r"),
      op("gone", "nodes.r.uri"),
      child("r2", { pages: { $ref: "nodes.whole.text" } }),
      child("r3", { pages: "many" }),
      child("r4", {}),
    ),
    [
      "type-mismatch whole: Data flow r -> whole: r is { url: string }, but input.text of text.upper wants string (/: want string, get { url: string })",
      'unknown-reference gone: "r" has no "uri": it is { url: string }: did you mean "url"?',
      'type-mismatch r2: Data flow whole -> r2: whole.text is string, but input.pages of workflow "report" wants integer (/: want integer, get string)',
      'invalid-input r3: Input of workflow "report" is refused at "/pages": is "many": wanted integer',
      'invalid-input r4: Input of workflow "report" is refused at "/pages": is missing: wanted integer',
    ],
  );
});

Deno.test("validate() checks what flows out of signals, Map items and Loop turns", () => {
  const signal = { type: "signal", props: { name: "go", key: "go", schema: { type: "number" } } };
  const map = {
    type: "map",
    props: { key: "m", as: "item", over: { $ref: "nodes.list" } },
    children: [op("in_map", "item.size")],
  };
  const list = {
    type: "approval",
    props: {
      key: "list",
      question: "Which?",
      schema: { type: "array", items: { type: "object", properties: { size: { type: "integer" } } } },
    },
  };
  const loop = {
    type: "loop",
    props: { key: "l", as: "turn", while: "false", maxIterations: 2 },
    children: [op("in_loop", "turn")],
  };
  const found = problems(
    signal,
    op("after", "nodes.go"),
    list,
    map,
    op("outside", "nodes.in_map"),
    loop,
    op("after_loop", "nodes.l"),
  );
  assert.deepEqual(found.map((line) => line.split(" (")[0]), [
    "type-mismatch after: Data flow go -> after: go is number, but input.text of text.upper wants string",
    "type-mismatch in_map: Data flow item -> in_map: item.size is integer, but input.text of text.upper wants string",
    "type-mismatch outside: Data flow in_map -> outside: in_map is { text: string, length: integer }[], but input.text of text.upper wants string",
    "type-mismatch in_loop: Data flow turn -> in_loop: turn is integer, but input.text of text.upper wants string",
    "type-mismatch after_loop: Data flow l -> after_loop: l is { text: string, length: integer }[], but input.text of text.upper wants string",
  ]);
});

Deno.test("flowProblems() gives the edges of a plan that cannot fit, and is silent on what is not known", () => {
  const template = {
    type: "sequential",
    children: [
      op("a", "input.name"),
      op("b", "nodes.a.length"),
      op("c", "nodes.a.colour"),
      op("d", "input.x", "gone.now"),
    ],
  };
  const { plan } = compile({ name: "w", template }, {});
  const inputSchema = { type: "object", properties: { name: { type: "boolean" } } };
  const found = flowProblems(plan, { ...options, inputSchema });
  assert.deepEqual(found.map(({ node, edge, path }) => [node, edge, path]), [
    ["a", { source: "input", target: "a" }, "/nodes/1/input/text"],
    ["b", { source: "a", target: "b" }, "/nodes/2/input/text"],
  ]);
  assert.deepEqual(flowProblems(plan, { operations: () => undefined, inputSchema: null }), []);
});
