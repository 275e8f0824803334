import assert from "node:assert/strict";
import { hasScope, hasScopeFor } from "@alkdev/operations";
import fc from "fast-check";
import { coversScope, NARROWABLE } from "./covers_scope.ts";

const name = fc.constantFrom("a", "ab", "abc", "b", "report-a", "report-", "");
const action = fc.constantFrom(...NARROWABLE, "keys:write", "files:read");
const star = fc.constantFrom("", "*");
const scope = fc.oneof(
  action,
  fc.tuple(action, name, star).map(([act, text, end]) => `${act}:${text}${end}`),
  fc.tuple(fc.constantFrom("", "work", "workflow:", "run:r", "operation:call:a"), star).map((parts) => parts.join("")),
).filter((text) => text !== "");
const held = fc.array(scope, { maxLength: 4 });

Deno.test("coversScope() gives out nothing that is not held, for any scopes", () => {
  fc.assert(
    fc.property(held, scope, action, name, (holder, wanted, act, resource) => {
      if (!coversScope(holder, wanted)) return;
      if (NARROWABLE.has(act) && hasScopeFor([wanted], act, resource)) assert.ok(hasScopeFor(holder, act, resource));
      if (hasScope([wanted], act)) assert.ok(hasScope(holder, act));
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("coversScope() refuses only what grants something that is not held, for one scope", () => {
  fc.assert(
    fc.property(scope, scope, (one, wanted) => {
      if (coversScope([one], wanted)) return;
      // Something that the wanted one grants, and that no name in these scopes is like.
      const granted = wanted.endsWith("*") ? `${wanted.slice(0, -1)}~` : wanted;
      assert.ok(hasScope([wanted], granted));
      const parts = granted.split(":");
      const act = parts.slice(0, 2).join(":");
      const narrowly = NARROWABLE.has(act) && parts.length > 2 &&
        hasScopeFor([one], act, parts.slice(2).join(":"));
      assert.ok(!hasScope([one], granted) && !narrowly, `${one} against ${wanted}`);
    }),
    { numRuns: 20_000, examples: [["workflow:run:a*", "workflow:run:*"], ["run:*", "*"]] },
  );
});

Deno.test("coversScope() narrows the hub's own scopes and no others", () => {
  assert.ok(coversScope(["workflow:run"], "workflow:run:report-*"));
  assert.ok(coversScope(["workflow:run:report-*"], "workflow:run:report-daily"));
  assert.ok(!coversScope(["workflow:run:report-*"], "workflow:run:*"));
  assert.ok(!coversScope(["workflow:run:report-*"], "workflow:run"));
  assert.ok(!coversScope(["files:read"], "files:read:secret"));
});
