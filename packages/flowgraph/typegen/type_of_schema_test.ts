import assert from "node:assert/strict";
import { Type } from "@alkdev/typebox";
import { declareTypes, typeOfSchema } from "./mod.ts";

Deno.test("typeOfSchema() writes each kind of schema as a type", () => {
  const cases: readonly (readonly [unknown, string])[] = [
    [true, "unknown"],
    [null, "unknown"],
    [false, "never"],
    [{}, "unknown"],
    [{ type: "string", pattern: "^a" }, "string"],
    [{ type: "integer" }, "number"],
    [{ type: ["string", "null"] }, "(string | null)"],
    [{ enum: ["a", 1, null] }, '("a" | 1 | null)'],
    [{ enum: [] }, "never"],
    [{ const: { a: [1], "b-c": {} } }, '{ a: [1]; "b-c": Record<string, never> }'],
    [{ type: "array" }, "Array<unknown>"],
    [{ type: "array", items: { anyOf: [{ type: "string" }, { type: "number" }] } }, "Array<(string | number)>"],
    [{ prefixItems: [{ type: "string" }, { type: "null" }], minItems: 1 }, "[string, (null)?, ...unknown[]]"],
    [{ items: [{ type: "string" }], minItems: 1, additionalItems: false }, "[string]"],
    [{ type: "object" }, "Record<string, unknown>"],
    [{ type: "object", additionalProperties: false }, "Record<string, never>"],
    [{ type: "object", additionalProperties: { type: "number" } }, "Record<string, number>"],
    [Type.Record(Type.String(), Type.Boolean()), "Record<string, boolean>"],
    [Type.Object({ a: Type.String(), b: Type.Optional(Type.Number()) }), "{ a: string; b?: number }"],
    [{ properties: { "x y": {} }, additionalProperties: true }, '({ "x y"?: unknown } & Record<string, unknown>)'],
    [{ allOf: [Type.Object({ a: Type.Null() }), Type.Object({ b: Type.Null() })] }, "({ a: null } & { b: null })"],
    [{ type: "string", anyOf: [{ minLength: 1 }] }, "string"],
    [{ oneOf: [{ const: 1 }, {}] }, "unknown"],
    [{ type: "date" }, "unknown"],
  ];
  for (const [schema, wanted] of cases) assert.equal(typeOfSchema(schema), wanted, JSON.stringify(schema));
});

Deno.test("typeOfSchema() follows references within the schema, and gives up on recursion and on other documents", () => {
  assert.equal(typeOfSchema({ $ref: "#/$defs/a", $defs: { a: { type: "string" } } }), "string");
  assert.equal(typeOfSchema({ $ref: "T", $defs: { T: { $id: "T", type: "null" } } }), "null");
  assert.equal(typeOfSchema({ $ref: "#/$defs/nowhere" }), "unknown");
  assert.equal(typeOfSchema({ $ref: "https://example.com/schema" }), "unknown");
  const tree = Type.Recursive((Self) => Type.Object({ name: Type.String(), below: Type.Array(Self) }));
  assert.equal(typeOfSchema(tree), "{ name: string; below: Array<unknown> }");
  assert.equal(typeOfSchema({ $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/a" } } }), "unknown");
  let deep: object = { type: "string" };
  for (let i = 0; i < 1000; i++) deep = { type: "array", items: deep };
  assert.match(typeOfSchema(deep), /^(Array<)+unknown>+$/);
  const both = (name: string): object => ({ items: [{ $ref: `#/$defs/${name}` }, { $ref: `#/$defs/${name}` }] });
  const $defs = Object.fromEntries(Array.from({ length: 24 }, (_, i) => [`d${i}`, both(`d${i + 1}`)]));
  assert.ok(typeOfSchema({ ...both("d0"), $defs }).length < 1_000_000, "it doubles at each step");
});

Deno.test("typeOfSchema() lets a property with a default be left out only where defaults are filled in", () => {
  const schema = Type.Object({ name: Type.String({ default: "world" }) });
  assert.equal(typeOfSchema(schema), "{ name: string }");
  assert.equal(typeOfSchema(schema, { defaultsFilled: true }), "{ name?: string }");
});

Deno.test("declareTypes() is the same text for the same registry, and no description breaks out of its comment", () => {
  const spec = (name: string, description: string) => ({
    namespace: "t",
    name,
    description,
    inputSchema: Type.Object({ a: Type.String({ description: "x */ evil" }) }),
    outputSchema: Type.Unknown(),
  });
  const child = { name: "child", description: null, inputSchema: null, outputSchema: { type: "number" } };
  const one = declareTypes({ operations: [spec("b", ""), spec("a", "*/ }")], workflows: [child] });
  const two = declareTypes({ operations: [spec("a", "*/ }"), spec("b", "")], workflows: [child] });
  assert.equal(one, two);
  assert.equal(one.match(/\*\//g)?.length, 3, one);
  assert.match(one, /"child": \{\n {6}readonly input: unknown;\n {6}readonly output: number;/);
});
