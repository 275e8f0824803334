import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import { toEventError } from "./event_error.ts";
import { DEFAULT_VALUE_LIMITS } from "./json_value.ts";
import { op, TestEngine } from "./testing/test_engine.ts";

const thrown: readonly unknown[] = [
  undefined,
  null,
  7n,
  Symbol("s"),
  Object.create(null),
  { toString: () => ({}) },
  {
    toString: () => {
      throw new Error("no text");
    },
  },
  Object.defineProperty(new Error(), "message", {
    get: () => {
      throw new Error("no message");
    },
  }),
  Object.assign(new Error(), { message: { deep: 1 } }),
];

Deno.test("toEventError() gives a code and a text for whatever is thrown", () => {
  for (const reason of thrown) {
    const { code, message } = toEventError(reason, DEFAULT_VALUE_LIMITS);
    assert.equal(typeof message, "string");
    assert.match(code, /^(EXECUTION|UNKNOWN)_ERROR$/);
  }
});

Deno.test("Engine ends a node whose handler throws what has no text", async () => {
  for (const reason of thrown) {
    const t = new TestEngine();
    t.handlers.set("t.odd", () => Promise.reject(reason));
    assert.equal((await t.run(op("a", {}, "odd"))).type, "run.failed");
  }
});

Deno.test("toEventError() keeps the details that have a JSON form, and cuts a long message", () => {
  const limits = DEFAULT_VALUE_LIMITS;
  assert.deepEqual(toEventError(new CallError("X", "x", { a: 1 }), limits), {
    code: "X",
    message: "x",
    details: { a: 1 },
  });
  assert.deepEqual(toEventError(new CallError("X", "x", 1n), limits), { code: "X", message: "x" });
  assert.equal(toEventError(new Error("y".repeat(5000)), limits).message.length, 4097);
});
