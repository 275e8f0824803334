import assert from "node:assert/strict";
import { OperationType } from "@alkdev/operations";
import { Type } from "@alkdev/typebox";
import { validate } from "./validate.ts";

function problems(template: object): string[] {
  const echo = {
    namespace: "core",
    name: "echo",
    version: "1.0.0",
    type: OperationType.QUERY,
    description: "",
    inputSchema: Type.Object({ value: Type.Unknown() }),
    outputSchema: Type.Unknown(),
    accessControl: { requiredScopes: [] },
  };
  return validate({ name: "w", template }, { operations: (id) => id === "core.echo" ? echo : undefined })
    .map(({ code, path, message }) => `${code} ${path}: ${message}`);
}

function echo(ref: string): object {
  return { type: "operation", props: { name: "core.echo", input: { value: { $ref: ref } } } };
}

Deno.test("validate() tells a missing prop once, and nothing that follows from it", () => {
  const cases: readonly (readonly [string, object, object[], string])[] = [
    ["map", { over: [1] }, [echo("item.x"), echo("other")], '/props/as: "as" of map is missing'],
    ["map", { as: "item" }, [echo("item")], '/props/over: "over" of map is missing'],
    ["conditional", {}, [echo("input")], '/props: "when" of conditional is missing (or "test" instead)'],
    ["loop", { maxIterations: 2 }, [echo("input")], '/props/while: "while" of loop is missing'],
    ["loop", { while: "true" }, [echo("input")], '/props/maxIterations: "maxIterations" of loop is missing'],
    ["operation", { input: {} }, [], '/props/name: "name" of operation is missing'],
    ["sleep", {}, [], '/props/ms: "ms" of sleep is missing'],
    ["sleepuntil", {}, [], '/props/until: "until" of sleepuntil is missing'],
    ["signal", {}, [], '/props/name: "name" of signal is missing'],
    ["approval", {}, [], '/props/question: "question" of approval is missing'],
  ];
  for (const [type, props, children, wanted] of cases) {
    assert.deepEqual(problems({ type, props, children }), [`missing-prop ${wanted}`], type);
  }
  assert.deepEqual(problems({ type: "sequential", children: [{ type: "workflow", props: {} }] }), [
    'missing-prop /children/0/props/name: "name" of workflow is missing',
  ]);
});

Deno.test("validate() tells an empty or wrong prop once as well", () => {
  for (const when of ["", 3]) {
    assert.equal(problems({ type: "conditional", props: { when }, children: [echo("input")] }).length, 1);
  }
  assert.equal(problems({ type: "map", props: { over: [1], as: 3 }, children: [echo("x")] }).length, 1);
  assert.match(
    problems({ type: "conditional", props: { when: "true", test: "x" }, children: [] })[0] ?? "",
    /not both/,
  );
  assert.equal(problems({ type: "map", props: { over: [1], as: "x" }, children: [echo("y")] }).length, 1);
});
