import assert from "node:assert/strict";
import { Type } from "@alkdev/typebox";
import { assertIsSchema, CallError, collectErrors, formatValueErrors, FromSchema, validateOrThrow } from "./mod.ts";

const user = Type.Object({
  name: Type.String({ minLength: 2 }),
  role: Type.Union([Type.Literal("admin"), Type.Literal("guest")]),
  address: Type.Object({ city: Type.String() }),
}, { additionalProperties: false });

const good = { name: "Ann", role: "admin", address: { city: "Rome" } };

Deno.test("collectErrors() is empty when the value fits", () => {
  assert.deepEqual(collectErrors(user, good), []);
});

Deno.test("collectErrors() names path, value and want, each absent property once", () => {
  assert.deepEqual(collectErrors(user, { name: "A", role: "root", address: {}, age: 3 }), [
    { path: "/age", message: "is not a known property" },
    { path: "/name", message: 'is "A": wanted string length greater or equal to 2' },
    { path: "/role", message: 'is "root": wanted one of "admin", "guest"' },
    { path: "/address/city", message: "is missing: wanted string" },
  ]);
  assert.deepEqual(collectErrors(user, { name: "Ann", address: good.address }), [
    { path: "/role", message: 'is missing: wanted one of "admin", "guest"' },
  ]);
});

Deno.test("collectErrors() quotes primitives only, shortened: an object may hold secrets", () => {
  const message = (value: unknown) => collectErrors(Type.Boolean(), value)[0]?.message;
  assert.equal(message({ apiKey: "secret" }), "is an object: wanted boolean");
  assert.equal(message(["secret"]), "is an array of 1: wanted boolean");
  assert.equal(message(() => "secret"), "is a function: wanted boolean");
  assert.equal(message(null), "is null: wanted boolean");
  assert.equal(message(undefined), "is undefined: wanted boolean");
  assert.equal(message("x".repeat(100)), `is "${"x".repeat(80)}"…: wanted boolean`);
});

Deno.test("collectErrors() stops at 32 issues", () => {
  assert.equal(collectErrors(Type.Array(Type.Number()), Array(100).fill("x")).length, 32);
});

Deno.test("formatValueErrors() makes one indented line per error, / for the value itself", () => {
  const errors = [{ path: "", message: "is 1" }, { path: "/a", message: "is 2" }];
  assert.equal(formatValueErrors(errors), "  - /: is 1\n  - /a: is 2");
  assert.equal(formatValueErrors(errors, "* "), "* /: is 1\n* /a: is 2");
  assert.equal(formatValueErrors([]), "");
});

Deno.test("validateOrThrow() throws VALIDATION_ERROR with lines and details, or returns", () => {
  validateOrThrow(user, good);
  assert.throws(() => validateOrThrow(Type.Number(), "x", "Limit"), (error) => {
    assert.ok(error instanceof CallError);
    assert.equal(error.code, "VALIDATION_ERROR");
    assert.equal(error.message, 'Limit is not valid:\n  - /: is "x": wanted number');
    assert.deepEqual(error.details, { errors: [{ path: "", message: 'is "x": wanted number' }] });
    return true;
  });
});

Deno.test("assertIsSchema() accepts TypeBox schemas and what FromSchema makes, and refuses plain ones", () => {
  assertIsSchema(user);
  assertIsSchema(FromSchema({ type: "object", properties: { next: { $ref: "#" } } }));
  for (
    const value of [{ type: "string" }, null, "string", { ...Type.Object({}), properties: { a: { type: "string" } } }]
  ) {
    assert.throws(() => assertIsSchema(value, "Input schema"), /^CallError: Input schema is not a TypeBox schema/);
  }
});

Deno.test("strings with a format are checked in schemas written with TypeBox too", () => {
  const fits = (format: string, value: string) => collectErrors(Type.String({ format }), value).length === 0;
  assert.equal(fits("date", "2024-02-29"), true);
  assert.equal(fits("date", "2023-02-29"), false);
  assert.equal(fits("time", "23:59:60Z"), true);
  assert.equal(fits("time", "24:00:00Z"), false);
  assert.equal(fits("uri", "https://a.example/b"), true);
  assert.equal(fits("uri", "/b"), false);
  assert.equal(fits("url", "https://a.example/b"), true);
  assert.equal(fits("url", "a b"), false);
});
