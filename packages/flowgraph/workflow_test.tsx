import assert from "node:assert/strict";
import { Type } from "@alkdev/typebox";
import { Operation } from "./component/mod.ts";
import { ref } from "./reference.ts";
import { defineWorkflow, isWorkflowDefinition } from "./workflow.ts";

Deno.test("defineWorkflow() freezes and brands what it is given", () => {
  const input = Type.Object({ n: Type.Number() });
  const definition = defineWorkflow({
    name: "w",
    title: "W",
    input,
    template: ({ n }) => <Operation name="x.a" input={{ n }} />,
  });
  assert(Object.isFrozen(definition));
  assert(isWorkflowDefinition(definition));
  assert.deepEqual([definition.inputSchema, definition.outputSchema, definition.result, definition.title], [
    input,
    null,
    null,
    "W",
  ]);
  for (const other of [null, "w", {}, { ...definition }]) assert(!isWorkflowDefinition(other));
});

Deno.test("defineWorkflow() takes a schema or a reference as output", () => {
  const schema = Type.Object({ v: Type.String() });
  const template = <Operation name="x.a" key="a" />;
  const bySchema = defineWorkflow({ name: "w", template, output: schema, result: ref("a").v });
  assert.deepEqual([bySchema.outputSchema, bySchema.result?.$ref], [schema, "nodes.a.v"]);
  const byReference = defineWorkflow({ name: "w", template, output: ref("a"), outputSchema: schema });
  assert.deepEqual([byReference.outputSchema, byReference.result?.$ref], [schema, "nodes.a"]);
});

Deno.test("defineWorkflow() refuses names it could not serve, and no template", () => {
  for (const name of ["", "a b", "-a", "ä", "a".repeat(129)]) {
    assert.throws(() => defineWorkflow({ name, template: null }), /"name" must start with/);
  }
  assert.throws(() => defineWorkflow({ name: "a", template: undefined }), /"template" is missing/);
});
