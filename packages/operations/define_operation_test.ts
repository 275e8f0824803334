import assert from "node:assert/strict";
import { Type } from "@alkdev/typebox";
import { defineOperation, OperationRegistry, subscribe } from "./mod.ts";

const spec = {
  namespace: "math",
  version: "1.0.0",
  description: "",
  inputSchema: Type.Object({ value: Type.Number() }),
  outputSchema: Type.Number(),
  accessControl: { requiredScopes: [] },
};

Deno.test("defineOperation() types the handler by the schemas", async () => {
  const registry = new OperationRegistry();
  registry.register(defineOperation({ ...spec, name: "double", type: "query", handler: ({ value }) => value * 2 }));
  registry.register(
    defineOperation({ ...spec, name: "half", type: "mutation", handler: async ({ value }) => await value / 2 }),
  );
  // @ts-expect-error: a string is no number
  registry.register(defineOperation({ ...spec, name: "wrong", type: "query", handler: () => "x" }));
  assert.equal((await registry.execute("math.double", { value: 2 })).data, 4);
  assert.equal((await registry.execute("math.half", { value: 2 })).data, 1);
});

Deno.test("defineOperation() types subscriptions", async () => {
  const registry = new OperationRegistry();
  registry.register(defineOperation({
    ...spec,
    name: "count",
    type: "subscription",
    handler: async function* ({ value }) {
      for (let n = 0; n < value; n++) yield n;
    },
  }));
  const envelopes = await Array.fromAsync(subscribe(registry, "math.count", { value: 3 }));
  assert.deepEqual(envelopes.map(({ data }) => data), [0, 1, 2]);
});
