import assert from "node:assert/strict";
import { type TSchema, Type } from "@alkdev/typebox";
import * as v from "valibot";
import { z } from "zod";
import { CallError, collectErrors, OperationRegistry, type SchemaAdapter } from "../mod.ts";
import { standardAdapter, valibotAdapter, zodAdapter } from "./mod.ts";

function assertFits(schema: TSchema, good: readonly unknown[], bad: readonly unknown[]) {
  for (const value of good) assert.deepEqual(collectErrors(schema, value), [], JSON.stringify(value));
  for (const value of bad) assert.notEqual(collectErrors(schema, value).length, 0, JSON.stringify(value));
}

const ID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";
const good = [{ id: ID, mail: "a@b.co", kind: "x", tags: ["t"] }, {
  id: ID,
  mail: "a@b.co",
  kind: 5,
  tags: [],
  n: 3,
  more: { a: null },
}];
const bad = [
  {},
  { ...good[0], id: "7" },
  { ...good[0], mail: "b.co" },
  { ...good[0], kind: "y" },
  { ...good[0], tags: [1] },
  { ...good[0], n: 0 },
  { ...good[0], more: { a: 1 } },
];

const zod = z.object({
  id: z.uuid(),
  mail: z.email(),
  kind: z.union([z.literal("x"), z.number()]),
  tags: z.array(z.string()),
  n: z.int().positive().default(1),
  more: z.record(z.string(), z.null()).optional(),
}).describe("A thing.");

const valibot = v.object({
  id: v.pipe(v.string(), v.uuid()),
  mail: v.pipe(v.string(), v.email()),
  kind: v.union([v.literal("x"), v.number()]),
  tags: v.array(v.string()),
  n: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 1),
  more: v.optional(v.record(v.string(), v.null())),
});

/** As Zod 4.0 and 4.1 have it. */
function withoutJSONSchema(schema: z.ZodType): unknown {
  const { jsonSchema: _jsonSchema, ...standard } = { ...schema["~standard"] };
  return Object.create(schema, { "~standard": { value: standard } });
}

Deno.test("zodAdapter() and standardAdapter() read schemas of Zod as what they take in", () => {
  for (const adapter of [zodAdapter(), standardAdapter()]) {
    const schema = adapter.toTypeBox(zod);
    assertFits(schema, good, bad);
    assert.equal(schema.description, "A thing.");
  }
});

Deno.test("zodAdapter() reads recursive schemas", () => {
  const tree = z.object({
    name: z.string(),
    get children() {
      return z.array(tree);
    },
  });
  const leaf = { name: "a", children: [] };
  assertFits(zodAdapter().toTypeBox(tree), [{ name: "b", children: [leaf] }], [{ name: "b", children: [{ name: 1 }] }]);
});

Deno.test("zodAdapter() reads schemas of earlier versions after init(), and says so before", async () => {
  const adapter = zodAdapter();
  const old = withoutJSONSchema(zod);
  assert.throws(() => adapter.toTypeBox(old), { code: "VALIDATION_ERROR", message: /needs "zod".*init\(\)/ });
  assert.throws(() => standardAdapter().toTypeBox(old), /no Standard JSON Schema/);
  await adapter.init?.();
  assertFits(adapter.toTypeBox(old), good, bad);
});

Deno.test("valibotAdapter() reads schemas of Valibot after init(), and says so before", async () => {
  const adapter = valibotAdapter();
  assert.throws(() => adapter.toTypeBox(valibot), { code: "VALIDATION_ERROR", message: /needs "@valibot/ });
  await adapter.init?.();
  await adapter.init?.();
  assertFits(adapter.toTypeBox(valibot), good, bad);
});

Deno.test("adapters throw for what JSON Schema cannot say", async () => {
  const adapters: [SchemaAdapter, unknown][] = [[zodAdapter(), z.bigint()], [valibotAdapter(), v.bigint()]];
  for (const [adapter, schema] of adapters) {
    await adapter.init?.();
    assert.throws(
      () => adapter.toTypeBox(schema),
      (error) =>
        error instanceof CallError && error.code === "VALIDATION_ERROR" && /cannot be said/.test(error.message),
    );
  }
});

Deno.test("adapters pass TypeBox and JSON Schema through, and refuse anything else", () => {
  for (const adapter of [zodAdapter(), valibotAdapter(), standardAdapter()]) {
    const schema = Type.String();
    assert.equal(adapter.toTypeBox(schema), schema);
    assertFits(adapter.toTypeBox({ type: "integer" }), [1], ["1"]);
    for (const other of ["text", null, () => {}]) assert.throws(() => adapter.toTypeBox(other), CallError);
  }
});

Deno.test("OperationRegistry takes schemas of Zod through its adapter", async () => {
  const registry = new OperationRegistry({ schemaAdapter: zodAdapter() });
  registry.register({
    namespace: "math",
    name: "double",
    version: "1.0.0",
    type: "query",
    description: "Doubles.",
    inputSchema: z.object({ n: z.number() }),
    outputSchema: z.number(),
    accessControl: { requiredScopes: [] },
    handler: (input) => zodInput.parse(input).n * 2,
  });
  const zodInput = z.object({ n: z.number() });
  assert.equal((await registry.execute("math.double", { n: 2 })).data, 4);
  await assert.rejects(registry.execute("math.double", { n: "2" }), { code: "VALIDATION_ERROR" });
});
