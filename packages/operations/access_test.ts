import assert from "node:assert/strict";
import { CallError, checkAccess, enforceAccess, hasScope } from "./mod.ts";
import type { AccessControl, Identity } from "./mod.ts";

const none: AccessControl = { requiredScopes: [] };
const me = (...scopes: string[]): Identity => ({ id: "me", scopes });
const denied = (error: unknown) => error instanceof CallError && error.code === "ACCESS_DENIED";

Deno.test("hasScope() matches exactly, by * and by trailing *", () => {
  assert.equal(hasScope(["a:b"], "a:b"), true);
  assert.equal(hasScope(["a:b"], "a:bc"), false);
  assert.equal(hasScope(["a"], "a:b"), false);
  assert.equal(hasScope(["*"], "anything"), true);
  assert.equal(hasScope(["workflow:run:report-*"], "workflow:run:report-daily"), true);
  assert.equal(hasScope(["workflow:run:report-*"], "workflow:run:other"), false);
  assert.equal(hasScope(["a*c"], "abc"), false, "only a trailing * is a pattern");
  assert.equal(hasScope(["a:b"], "a:*"), false, "a wanted * is no pattern");
  assert.equal(hasScope([], ""), false);
});

Deno.test("checkAccess() wants all of requiredScopes", () => {
  const access = { requiredScopes: ["a", "b"] };
  assert.equal(checkAccess(access, me("a")), false);
  assert.equal(checkAccess(access, me("b", "a")), true);
});

Deno.test("checkAccess() wants one of requiredScopesAny, unless it is empty", () => {
  assert.equal(checkAccess({ ...none, requiredScopesAny: ["a", "b"] }, me("b")), true);
  assert.equal(checkAccess({ ...none, requiredScopesAny: ["a", "b"] }, me("c")), false);
  assert.equal(checkAccess({ ...none, requiredScopesAny: [] }, me()), true);
  assert.equal(checkAccess({ requiredScopes: ["c"], requiredScopesAny: ["a"] }, me("a")), false);
});

Deno.test("checkAccess() is content with any resource of the type that lists the action", () => {
  const access = { ...none, resourceType: "project", resourceAction: "write" };
  const holding = (resources: Record<string, string[]>) => checkAccess(access, { ...me("*"), resources });
  assert.equal(holding({ "project:1": ["read"], "project:2": ["write"] }), true);
  assert.equal(holding({ "project:1": ["read"] }), false);
  assert.equal(holding({ "projects:1": ["write"] }), false);
  assert.equal(holding({ project: ["write"] }), false);
  assert.equal(checkAccess(access, me("*")), false);
});

Deno.test("checkAccess() ignores half a resource rule, and customAuth", () => {
  assert.equal(checkAccess({ ...none, resourceType: "project" }, me()), true);
  assert.equal(checkAccess({ ...none, resourceAction: "write" }, me()), true);
  assert.equal(checkAccess({ ...none, customAuth: "x" }, me()), true);
});

Deno.test("enforceAccess() lets anyone call what requires nothing", () => {
  enforceAccess(none, undefined, "a.b");
  enforceAccess({ ...none, requiredScopesAny: [] }, undefined, "a.b");
});

Deno.test("enforceAccess() demands an identity for any declared requirement", () => {
  for (
    const access of [
      { requiredScopes: ["a"] },
      { ...none, requiredScopesAny: ["a"] },
      { ...none, resourceType: "project", resourceAction: "write" },
    ]
  ) {
    assert.throws(() => enforceAccess(access, undefined, "a.b"), denied);
    enforceAccess(access, undefined, "a.b", true);
  }
});

Deno.test("enforceAccess() names the operation, the caller and what was wanted", () => {
  assert.throws(() => enforceAccess({ requiredScopes: ["x:y"], requiredScopesAny: ["p", "q"] }, me("a"), "a.b"), {
    code: "ACCESS_DENIED",
    message: 'Cannot call operation "a.b" as "me": wanted scopes "x:y" and one of scopes "p", "q"',
    details: { requiredScopes: ["x:y", "p", "q"] },
  });
});
