import assert from "node:assert/strict";
import { Type } from "@alkdev/typebox";
import fc from "fast-check";
import { SchemaReader } from "./from_schema.ts";
import { assertIsSchema, CallError, collectErrors, FromSchema, schemaSource } from "./mod.ts";

function assertFits(schema: unknown, good: readonly unknown[], bad: readonly unknown[]) {
  const converted = FromSchema(schema);
  assertIsSchema(converted);
  for (const value of good) assert.deepEqual(collectErrors(converted, value), [], JSON.stringify(value));
  for (const value of bad) assert.notEqual(collectErrors(converted, value).length, 0, JSON.stringify(value));
}

function assertBroken(schema: unknown, place: string) {
  assert.throws(() => FromSchema(schema), (error) => {
    assert.ok(error instanceof CallError);
    assert.equal(error.code, "VALIDATION_ERROR");
    assert.ok(error.message.includes(`"${place}"`), error.message);
    return true;
  });
}

Deno.test("FromSchema() reads the primitive types and their limits", () => {
  assertFits({ type: "string", minLength: 2, maxLength: 3, pattern: "^a" }, ["ab"], ["a", "abcd", "bb", 1]);
  assertFits({ type: "number", minimum: 1, exclusiveMaximum: 3, multipleOf: 0.5 }, [1, 2.5], [0, 3, 1.1, "1"]);
  assertFits({ type: "integer" }, [1], [1.5]);
  assertFits({ type: "boolean" }, [true], [0]);
  assertFits({ type: "null" }, [null], [undefined, 0]);
  assertFits({ type: ["string", "null"] }, ["x", null], [1]);
  assertFits({ type: "string", nullable: true }, ["x", null], [1]);
});

Deno.test("FromSchema() reads objects", () => {
  const properties = { a: { type: "number" }, b: { type: "string" } };
  assertFits({ type: "object", properties, required: ["a"] }, [{ a: 1 }, { a: 1, z: 1 }], [{}, { a: 1, b: 2 }, []]);
  assertFits({ properties, required: ["c"], additionalProperties: false }, [{ c: 1 }], [{ c: 1, z: 1 }, {}]);
  assertFits({ type: "object", additionalProperties: { type: "number" } }, [{}, { x: 1 }], [{ x: "1" }]);
  assertFits({ type: "object", patternProperties: { "^x": { type: "number" } } }, [{ x1: 1 }], [{ x1: "1" }]);
  assertFits({ type: "object", minProperties: 1 }, [{ a: 1 }], [{}]);
});

Deno.test("FromSchema() reads arrays and tuples", () => {
  assertFits({ type: "array", items: { type: "number" }, maxItems: 2 }, [[], [1]], [["1"], [1, 2, 3], {}]);
  assertFits({ type: "array" }, [[1, "x"]], [{}]);
  const tuple = [{ type: "number" }, { type: "string" }];
  assertFits({ type: "array", items: tuple, additionalItems: false, minItems: 2 }, [[1, "x"]], [["x", 1], [1], []]);
  assertFits({ type: "array", prefixItems: tuple, items: false, minItems: 2 }, [[1, "x"]], [["x", 1], [1, "x", 2]]);
  assertFits({ type: "array", prefixItems: tuple }, [[1, "x", true]], [{}]);
  assertFits({ type: "array", prefixItems: tuple, items: false }, [[1, "x"], [1], []], [["x", 1], ["x"], [1, "x", 2]]);
  assertFits({ type: "array", prefixItems: tuple, maxItems: 2, minItems: 1 }, [[1, "x"], [1]], [["x"], [], [1, 2]]);
});

Deno.test("FromSchema() reads const and enum of any JSON value", () => {
  assertFits({ const: "it's" }, ["it's"], ["its"]);
  assertFits({ const: { a: [1, null] } }, [{ a: [1, null] }], [{ a: [1] }, { a: [1, null], b: 1 }]);
  assertFits({ type: "string", enum: ["a", "b"] }, ["a"], ["c"]);
  assertFits({ enum: [1, null, true] }, [1, null, true], [2, false]);
});

Deno.test("FromSchema() reads combinations, and keywords beside them", () => {
  assertFits({ anyOf: [{ type: "string" }, { type: "number" }] }, ["x", 1], [true]);
  assertFits({ oneOf: [{ type: "string" }, { type: "number" }] }, ["x", 1], [true]);
  assertFits(
    { type: "object", properties: { a: { type: "number" } }, allOf: [{ required: ["a"] }, { required: ["b"] }] },
    [{ a: 1, b: 1 }],
    [{ a: 1 }, { a: "1", b: 1 }],
  );
  assertFits({ type: "number", not: { const: 3 } }, [1], [3]);
  assertFits(true, [1, null, undefined], []);
  assertFits({}, [1, null, undefined], []);
  assertFits(false, [], [1, null]);
});

Deno.test("FromSchema() follows references by pointer, $id, anchor and name", () => {
  const name = { type: "string" };
  for (
    const [$ref, rest] of [
      ["#/$defs/Name", { $defs: { Name: name } }],
      ["#/definitions/a~1b", { definitions: { "a/b": name } }],
      ["Name", { $defs: { Name: name } }],
      ["urn:name", { $defs: { Other: { ...name, $id: "urn:name" } } }],
      ["#here", { $defs: { Other: { ...name, $anchor: "here" } } }],
    ] as const
  ) assertFits({ ...rest, type: "object", properties: { n: { $ref } } }, [{ n: "x" }], [{ n: 1 }]);
});

Deno.test("FromSchema() reads recursive schemas, mutual recursion included", () => {
  const tree = { type: "object", properties: { next: { $ref: "#" }, n: { type: "number" } }, required: ["n"] };
  assertFits(tree, [{ n: 1, next: { n: 2, next: { n: 3 } } }], [{ n: 1, next: { n: 2, next: {} } }]);
  const mutual = {
    $defs: {
      a: { type: "object", properties: { b: { $ref: "#/$defs/b" } }, additionalProperties: false },
      b: { type: "array", items: { $ref: "#/$defs/a" } },
    },
    type: "object",
    properties: { a: { $ref: "#/$defs/a" }, b: { $ref: "#/$defs/b" } },
  };
  assertFits(mutual, [{ a: { b: [{ b: [] }] }, b: [{ b: [] }] }], [{ a: { b: [{ b: [{ c: 1 }] }] } }, { b: [1] }]);
});

Deno.test("FromSchema() reads what TypeBox's own schemas become on a wire", () => {
  const recursive = Type.Recursive((This) => Type.Object({ id: Type.String(), nodes: Type.Array(This) }));
  const module = Type.Module({ Node: Type.Object({ next: Type.Optional(Type.Ref("Node")) }) });
  const wire = (schema: unknown) => JSON.parse(JSON.stringify(schema));
  assertFits(wire(recursive), [{ id: "a", nodes: [{ id: "b", nodes: [] }] }], [{
    id: "a",
    nodes: [{ id: 1, nodes: [] }],
  }]);
  assertFits(wire(module.Import("Node")), [{ next: { next: {} } }], [{ next: { next: 1 } }]);
  assertFits(wire(Type.Record(Type.String(), Type.Number())), [{ a: 1 }], [{ a: "x" }]);
  assertFits(wire(Type.Tuple([Type.Number(), Type.String()])), [[1, "x"]], [[1], ["x", 1]]);
  assertFits(wire(Type.Void()), [undefined], [1]);
  assertFits(wire(Type.Never()), [], [1]);
  assertFits(wire(Type.TemplateLiteral("a-${string}")), ["a-b"], ["b"]);
});

Deno.test("FromSchema() checks known formats, and keeps unknown ones as x-format", () => {
  assertFits({ type: "string", format: "date-time" }, ["2026-02-28T10:00:00Z"], ["2026-02-30T10:00:00Z", "today"]);
  assertFits({ type: "string", format: "email" }, ["a@b.c"], ["a"]);
  assertFits({ type: "string", format: "uuid" }, ["6ba7b810-9dad-11d1-80b4-00c04fd430c8"], ["x"]);
  assertFits({ type: "string", format: "ipv4" }, ["127.0.0.1"], ["256.0.0.1", "1.2.3"]);
  assertFits({ type: "string", format: "barcode" }, ["anything"], [1]);
  assert.equal(FromSchema({ type: "string", format: "barcode" })["x-format"], "barcode");
});

Deno.test("FromSchema() keeps annotations", () => {
  const schema = FromSchema({ type: "string", title: "T", description: "D", default: "x", "x-mine": 1, unknown: 1 });
  assert.deepEqual({ ...JSON.parse(JSON.stringify(schema)) }, {
    type: "string",
    title: "T",
    description: "D",
    default: "x",
    "x-mine": 1,
  });
});

Deno.test("FromSchema() names the place when the schema is broken", () => {
  assertBroken("string", "#");
  assertBroken(null, "#");
  assertBroken({ type: "strin" }, "#/type");
  assertBroken({ type: "object", properties: { "a/b": { type: 1 } } }, "#/properties/a~1b/type");
  assertBroken({ type: "object", properties: [] }, "#/properties");
  assertBroken({ type: "object", required: "a" }, "#/required");
  assertBroken({ anyOf: [] }, "#/anyOf");
  assertBroken({ enum: [] }, "#/enum");
  assertBroken({ type: "array", items: 3 }, "#/items");
  assertBroken({ type: "string", pattern: "(" }, "#/pattern");
  assertBroken({ type: "object", properties: { "a\nb": {} } }, "#");
  assertBroken({ $ref: "#/$defs/missing" }, "#/$ref");
  assertBroken({ $ref: "https://elsewhere.example/schema" }, "#/$ref");
});

Deno.test("FromSchema() refuses references that never reach a value", () => {
  assertBroken({ $ref: "#" }, "#");
  assertBroken({ $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } }, $ref: "#/$defs/a" }, "#/$defs/a");
  assertBroken({ anyOf: [{ type: "string" }, { $ref: "#" }] }, "#");
});

Deno.test("FromSchema() refuses a document that would explode or overflow", () => {
  const $defs: Record<string, unknown> = { d0: { type: "string" } };
  for (let n = 1; n <= 40; n++) {
    $defs[`d${n}`] = { type: "array", prefixItems: [1, 2].map(() => ({ $ref: `#/$defs/d${n - 1}` })) };
  }
  assert.throws(() => FromSchema({ $defs, $ref: "#/$defs/d40" }), /more than 20000/);
  let deep: unknown = { type: "string" };
  for (let n = 0; n < 300; n++) deep = { type: "array", items: deep };
  assert.throws(() => FromSchema(deep), /more than 200 levels/);
});

Deno.test("FromSchema() lets nothing of a schema into the generated code", () => {
  const evil = `'); globalThis.pwned = true; ('`;
  for (const keyword of ["minLength", "maxLength"]) assertBroken({ type: "string", [keyword]: evil }, `#/${keyword}`);
  for (const keyword of ["minimum", "multipleOf"]) assertBroken({ type: "number", [keyword]: evil }, `#/${keyword}`);
  assertBroken({ type: "array", minItems: evil }, "#/minItems");
  for (
    const text of [
      evil,
      evil.replaceAll("'", '"'),
      "`${globalThis.pwned = true}`",
      "\\'+(globalThis.pwned=1)+'",
    ]
  ) {
    assertFits({ type: "string", format: text }, [text], []);
    assertFits({ const: text }, [text], ["other"]);
    assertFits({ type: "object", properties: { [text]: { type: "number" } }, required: [text] }, [{ [text]: 1 }], [{}]);
    assertFits({ $id: text, type: "object", properties: { a: { $ref: text } } }, [{ a: {} }], [{ a: 1 }]);
  }
  assert.equal("pwned" in globalThis, false);
});

Deno.test("FromSchema() throws nothing but CallError, whatever it is given", () => {
  const key = fc.constantFrom(
    "type",
    "properties",
    "items",
    "anyOf",
    "allOf",
    "not",
    "$ref",
    "enum",
    "required",
    "const",
    "minLength",
  );
  const { schema } = fc.letrec((tie) => ({
    schema: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom("string", "object", "array", "#", "#/anyOf/0"),
      fc.jsonValue({ maxDepth: 1 }),
      fc.dictionary(key, tie("schema"), { maxKeys: 4 }),
      fc.array(tie("schema"), { maxLength: 3 }),
    ),
  }));
  fc.assert(
    fc.property(schema, (value) => {
      try {
        collectErrors(FromSchema(value), { a: 1 });
      } catch (error) {
        assert.ok(error instanceof CallError, String(error));
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("FromSchema() reads the exclusive limits of OpenAPI 3.0", () => {
  assertFits({ type: "number", minimum: 1, exclusiveMinimum: true, maximum: 3, exclusiveMaximum: false }, [1.1, 3], [
    1,
    3.1,
  ]);
  assertBroken({ type: "number", exclusiveMinimum: true, minimum: "1" }, "#/exclusiveMinimum");
});

Deno.test("SchemaReader converts what several references lead to once, recursive or not", () => {
  const document = {
    defs: {
      leaf: { type: "string", minLength: 1 },
      tree: { type: "object", properties: { next: { $ref: "#/defs/tree" }, leaf: { $ref: "#/defs/leaf" } } },
      pair: {
        type: "array",
        prefixItems: [{ $ref: "#/defs/tree" }, { $ref: "#/defs/tree" }],
        minItems: 2,
        maxItems: 2,
      },
    },
  };
  const reader = new SchemaReader(document);
  const read = (name: string) => reader.read({ $ref: `#/defs/${name}` });
  assert.equal(read("tree")["properties"], read("tree")["properties"]);
  const object = reader.read({
    type: "object",
    properties: { a: { $ref: "#/defs/pair" }, b: { $ref: "#/defs/tree" } },
  });
  assertIsSchema(object);
  const tree = { next: { next: { leaf: "x" } } };
  assert.deepEqual(collectErrors(object, { a: [tree, tree], b: tree }), []);
  assert.notDeepEqual(collectErrors(object, { a: [tree, { next: { leaf: "" } }] }), []);
  assert.notDeepEqual(collectErrors(object, { b: { next: { leaf: 1 } } }), []);
});

Deno.test("SchemaReader does not share what refers back to something around it, and goes on after a broken schema", () => {
  const document = {
    a: { type: "object", properties: { b: { $ref: "#/b" }, again: { $ref: "#/b" } }, additionalProperties: false },
    b: { type: "object", properties: { a: { $ref: "#/a" } }, additionalProperties: false },
    bad: { type: "object", properties: { x: { $ref: "#/a" }, y: { type: "wrong" } } },
  };
  const reader = new SchemaReader(document);
  assert.throws(() => reader.read({ $ref: "#/bad" }), CallError);
  for (const name of ["b", "a", "b"]) {
    const schema = reader.read({ $ref: `#/${name}` });
    const other = name === "a" ? "b" : "a";
    const value = { [other]: { [name]: { [other]: {} } } };
    assert.deepEqual(collectErrors(schema, value), []);
    assert.notDeepEqual(collectErrors(schema, { [other]: { [name]: { [name]: {} } } }), []);
  }
});

Deno.test("schemaSource() gives the document that a schema was read from, and a schema that was not read as it is", () => {
  const document = { type: "object", $defs: { a: { $anchor: "a" } }, if: {}, "x-mine": 1 };
  assert.equal(schemaSource(FromSchema(document)), document);
  const written = Type.Object({});
  assert.equal(schemaSource(written), written);
});

Deno.test("FromSchema() checks patterns in linear time", () => {
  const text = `${"a".repeat(50_000)}!`;
  const start = performance.now();
  assertFits({ type: "string", pattern: "^(a+)+$", minLength: 2, maxLength: 60_000 }, ["aa"], [text, "a", 1]);
  const named = { patternProperties: { "^(a+)+$": { type: "number" } } };
  assertFits(named, [{ a: 1, [text]: "free" }], [{ aa: "1" }, [], null]);
  assertFits({ ...named, additionalProperties: false, minProperties: 1 }, [{ a: 1 }], [{ [text]: 1 }, {}]);
  assertFits({ type: "string", format: "date", pattern: "^2" }, ["2026-01-01"], ["2026-13-01", "1999-01-01"]);
  assert.ok(performance.now() - start < 2_000);
});

Deno.test("FromSchema() refuses a pattern that cannot be matched in linear time, unless it is told to take it", () => {
  for (const pattern of ["^(?!x)", "(a)\\1", "a{1,2000}"]) {
    assertBroken({ type: "object", properties: { n: { type: "string", pattern } } }, "#/properties/n/pattern");
    assertBroken({ patternProperties: { [pattern]: {} } }, "#/patternProperties");
  }
  assert.throws(() => FromSchema({ type: "string", pattern: "^(?!x)" }), /"\^\(\?!x\)".*refused: it has a look-around/);
  const native = FromSchema({ type: "string", pattern: "^(?!x)" }, { patterns: "native" });
  assert.deepEqual(collectErrors(native, "y"), []);
  assert.notDeepEqual(collectErrors(native, "x"), []);
});

Deno.test("FromSchema() says what is wrong with a string that has a pattern, and keeps it on the wire", () => {
  const document = {
    type: "object",
    properties: { n: { type: "string", pattern: "^a", title: "N" } },
    required: ["n"],
  };
  const schema = FromSchema(document);
  assert.deepEqual(collectErrors(schema, { n: "b" }), [{
    path: "/n",
    message: "is \"b\": wanted string to match '^a'",
  }]);
  assert.deepEqual(collectErrors(schema, {}), [{ path: "/n", message: "is missing: wanted string" }]);
  assert.deepEqual(JSON.parse(JSON.stringify(schema)), document);
});

Deno.test("FromSchema() reads property patterns of schemas that refer to what is around them", () => {
  const tree = { type: "object", patternProperties: { "^x": { $ref: "#" } } };
  assertFits(tree, [{ x: { x: {} }, y: 1 }], [{ x: { x: 1 } }]);
  const around = {
    type: "object",
    properties: { n: { type: "number" }, inner: { type: "object", patternProperties: { "^x": { $ref: "#" } } } },
  };
  assertFits(around, [{ inner: { x1: { n: 1 }, y: 1 } }], [{ inner: { x1: { n: "1" } } }, {
    inner: { x: { inner: 1 } },
  }]);
});
