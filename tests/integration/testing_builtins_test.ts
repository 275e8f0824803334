/** The test kit's built-in operations are its own: they are held to the hub's here. */
import assert from "node:assert/strict";
import { OperationRegistry } from "@alkdev/operations";
import { createWorkflowTest } from "@alkdev/testing";
import { BUILTINS } from "../../packages/testing/builtins.ts";
import type { Clock } from "../../engine/mod.ts";
import { coreEcho } from "../../src/dispatch/builtins/core_echo.ts";
import { coreEval } from "../../src/dispatch/builtins/core_eval.ts";
import { coreFail } from "../../src/dispatch/builtins/core_fail.ts";
import { coreSleep } from "../../src/dispatch/builtins/core_sleep.ts";

const INPUTS: Readonly<Record<string, readonly unknown[]>> = {
  "core.echo": [{ value: { a: [1] } }, {}],
  "core.fail": [{}, { code: "X", message: "m", details: { n: 1 } }, { code: "" }],
  "core.sleep": [{ ms: 0 }, { ms: -1 }],
  "core.eval": [{ expression: "a + 1", vars: { a: 1 } }, { expression: "1 +" }, { expression: "b" }, {}],
};

function hubRegistry(): OperationRegistry {
  const registry = new OperationRegistry();
  const clock: Clock = {
    now: () => 0,
    at: (_due, callback) => {
      queueMicrotask(callback);
      return () => {};
    },
    afterTurn: (callback) => queueMicrotask(callback),
  };
  registry.registerAll([coreEcho, coreEval, coreFail, coreSleep(clock)]);
  return registry;
}

Deno.test("the test kit's core operations take, give and fail as the hub's do", async () => {
  const hub = hubRegistry();
  const t = createWorkflowTest();
  for (const [id, { inputSchema, outputSchema }] of Object.entries(BUILTINS)) {
    const spec = hub.getSpec(id);
    assert.deepEqual(
      JSON.parse(JSON.stringify({ inputSchema, outputSchema })),
      JSON.parse(JSON.stringify({ inputSchema: spec?.inputSchema, outputSchema: spec?.outputSchema })),
      id,
    );
    for (const input of INPUTS[id] ?? assert.fail(`no inputs for ${id}`)) {
      const wanted = await hub.execute(id, input).then(
        ({ data }) => ({ data }),
        ({ code, details }) => ({ code, details }),
      );
      const template = { type: "operation", props: { name: id, key: "a", input } };
      const run = await (await t.run({ name: "w", template })).finish();
      const { error } = run;
      const got = error === null ? { data: run.output } : { code: error.code, details: error.details };
      assert.deepEqual(
        JSON.parse(JSON.stringify(got)),
        JSON.parse(JSON.stringify(wanted)),
        `${id} ${JSON.stringify(input)}`,
      );
    }
  }
});
