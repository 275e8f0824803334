import assert from "node:assert/strict";
import { CallError, mapError } from "./mod.ts";

const declared = [{ code: "QUOTA", description: "Too much.", schema: {} }];

Deno.test("mapError() leaves a CallError unchanged", () => {
  const error = new CallError("X", "x");
  assert.equal(mapError(error, declared), error);
});

Deno.test("mapError() finds a declared code in message, message prefix or code", () => {
  for (
    const error of [new Error("QUOTA"), new Error("QUOTA: ten"), Object.assign(new Error("ten"), { code: "QUOTA" })]
  ) {
    const mapped = mapError(error, declared);
    assert.equal(mapped.code, "QUOTA");
    assert.equal(mapped.message, error.message);
    assert.equal(mapped.cause, error);
  }
});

Deno.test("mapError() does not take a longer word for a declared code", () => {
  assert.equal(mapError(new Error("QUOTAS: ten"), declared).code, "EXECUTION_ERROR");
  assert.equal(mapError(new Error("QUOTA: ten")).code, "EXECUTION_ERROR");
});

Deno.test("mapError() makes EXECUTION_ERROR of other errors, with JSON details and the cause", () => {
  const error = new TypeError("boom");
  const mapped = mapError(error, declared);
  assert.deepEqual([mapped.code, mapped.message, mapped.cause], ["EXECUTION_ERROR", "boom", error]);
  assert.deepEqual(JSON.parse(JSON.stringify(mapped.details)), { name: "TypeError", message: "boom" });
});

Deno.test("mapError() makes UNKNOWN_ERROR of what is no error, with JSON details", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic["self"] = cyclic;
  for (
    const [thrown, raw] of [["x", "x"], [undefined, "undefined"], [{ a: 1 }, { a: 1 }], [cyclic, "[object Object]"]]
  ) {
    const mapped = mapError(thrown);
    assert.equal(mapped.code, "UNKNOWN_ERROR");
    assert.deepEqual(mapped.details, { raw });
    assert.equal(mapped.cause, thrown);
  }
});
