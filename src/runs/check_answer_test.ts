import assert from "node:assert/strict";
import type { SignalNode } from "@alkdev/flowgraph";
import { checkAnswer } from "./check_answer.ts";

const NODE: SignalNode = { key: "ok", parent: -1, end: 1, kind: "signal", signal: "ok" };
const SCHEMA = { type: "object", properties: { yes: { type: "boolean" } }, required: ["yes"] };

Deno.test("checkAnswer() lets only those answer who hold one of the answerers' scopes", () => {
  const node = { ...NODE, answerers: ["ops:approve", "lead"] };
  assert.throws(() => checkAnswer(node, 1, ["run:write"]), { code: "ACCESS_DENIED" });
  for (const scope of ["lead", "ops:approve", "*"]) checkAnswer(node, 1, [scope]);
  checkAnswer(NODE, 1, []);
});

Deno.test("checkAnswer() refuses a payload that the schema does not take, and says where", () => {
  const node = { ...NODE, schema: SCHEMA };
  checkAnswer(node, { yes: true }, []);
  checkAnswer(node, { declined: true }, []);
  assert.throws(() => checkAnswer(node, { declined: true, more: 1 }, []), { code: "VALIDATION_ERROR" });
  assert.throws(() => checkAnswer(node, { yes: "maybe" }, []), {
    code: "VALIDATION_ERROR",
    message: /payload\/yes /,
  });
});
