import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import { checkScopes } from "./check_scopes.ts";
import { SCOPES } from "./scopes.ts";

function messages(scopes: readonly string[], declared?: readonly string[]): string[] {
  try {
    checkScopes(scopes, declared && new Set(declared));
    return [];
  } catch (error) {
    assert.ok(error instanceof CallError);
    assert.equal(error.code, "VALIDATION_ERROR");
    const { errors } = error.details as { errors: { path: string; message: string }[] };
    return errors.map(({ path, message }) => `${path} ${message}`);
  }
}

Deno.test("checkScopes() takes the hub's own scopes, narrower ones, patterns, open families and declared ones", () => {
  assert.deepEqual(messages(Object.keys(SCOPES)), []);
  assert.deepEqual(messages(["*", "run:*", "workflow:run:report-*", "billing:*", "workflow:run:report"]), []);
  assert.deepEqual(messages(["model:fast", "mcp:github", "session:read"]), []);
  assert.deepEqual(messages(["billing:write"], ["billing:write"]), []);
  assert.deepEqual(messages([]), []);
});

Deno.test("checkScopes() names the nearest known scope of each that nothing asks for", () => {
  assert.deepEqual(messages(["run:read", "key:write", "Runs:read"]), [
    '/scopes/1 is "key:write", which nothing asks for: did you mean "keys:write"?',
    '/scopes/2 is "Runs:read", which nothing asks for: did you mean "run:read"?',
  ]);
  assert.match(messages(["biling:write"], ["billing:write"])[0] ?? "", /did you mean "billing:write"/);
  assert.match(messages(["zzz"])[0] ?? "", /wanted one of workflow:read, /);
  assert.equal(messages(["model", "model:", "run:read:"]).length, 3);
});
