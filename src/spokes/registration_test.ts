import assert from "node:assert/strict";
import { collectErrors, type OperationSpec } from "@alkdev/operations";
import { reviveOperations } from "./registration.ts";

Deno.test("reviveOperations() takes any value for a schema that this release does not read, and keeps the others", () => {
  const stored = {
    namespace: "a",
    name: "b",
    inputSchema: { type: "string", pattern: "^(?!x)" },
    outputSchema: { type: "string" },
  };
  // As a database gives it: plain JSON.
  const [spec] = reviveOperations([stored as unknown as OperationSpec]);
  assert.ok(spec);
  assert.deepEqual(collectErrors(spec.inputSchema, 1), []);
  assert.notDeepEqual(collectErrors(spec.outputSchema, 1), []);
});
