import assert from "node:assert/strict";
import { type Static, type TSchema, Type } from "@alkdev/typebox";
import {
  AccessControlSchema,
  CallEventMap,
  collectErrors,
  ErrorDefinitionSchema,
  httpEnvelope,
  localEnvelope,
  mcpEnvelope,
  OperationContextSchema,
  OperationSpecSchema,
  ResponseEnvelopeSchema,
  ResponseMetaSchema,
} from "./mod.ts";
import type { OperationSpec } from "./mod.ts";
import { schemaOf } from "./schema_of.ts";

const spec: OperationSpec = {
  name: "echo",
  namespace: "core",
  version: "1.0.0-rc.1",
  type: "query",
  title: "Echo",
  description: "",
  tags: ["x"],
  inputSchema: Type.Object({}),
  outputSchema: Type.Unknown(),
  errorSchemas: [{ code: "X", description: "", schema: {}, httpStatus: 418 }],
  accessControl: {
    requiredScopes: ["a"],
    requiredScopesAny: ["b"],
    resourceType: "t",
    resourceAction: "u",
    customAuth: "c",
  },
  _meta: { any: 1 },
};

const fits = (schema: TSchema, value: unknown) => collectErrors(schema, value).length === 0;

function assertNeeds(schema: TSchema, value: object, fields: readonly string[]) {
  assert.deepEqual(collectErrors(schema, value), []);
  for (const field of Object.keys(value)) {
    const without = Object.fromEntries(Object.entries(value).filter(([key]) => key !== field));
    assert.equal(fits(schema, without), !fields.includes(field), `without ${field}`);
    assert.equal(fits(schema, { ...value, [field]: Symbol("wrong") }), false, `with a wrong ${field}`);
  }
}

Deno.test("schemaOf() compiles only when schema and type agree", () => {
  interface Point {
    readonly x: number;
    readonly y?: number;
  }
  const point = schemaOf<Point>()(Type.Object({ x: Type.Number(), y: Type.Optional(Type.Number()) }));
  const value: Static<typeof point> = { x: 1 };
  assert.equal(fits(point, value), true);
  // @ts-expect-error: y is missing
  schemaOf<Point>()(Type.Object({ x: Type.Number() }));
  // @ts-expect-error: x is a string
  schemaOf<Point>()(Type.Object({ x: Type.String(), y: Type.Optional(Type.Number()) }));
  // @ts-expect-error: y is required
  schemaOf<Point>()(Type.Object({ x: Type.Number(), y: Type.Number() }));
});

Deno.test("OperationSpecSchema accepts a whole spec, before and after JSON, and needs its required fields", () => {
  const needed = [
    "name",
    "namespace",
    "version",
    "type",
    "description",
    "inputSchema",
    "outputSchema",
    "accessControl",
  ];
  const { _meta, ...rest } = spec;
  assertNeeds(OperationSpecSchema, rest, needed);
  assert.deepEqual(collectErrors(OperationSpecSchema, JSON.parse(JSON.stringify(spec))), []);
  assert.equal(fits(OperationSpecSchema, { ...spec, _meta: 1 }), false);
  assert.equal(fits(OperationSpecSchema, { ...spec, version: "one" }), false);
  assert.equal(fits(OperationSpecSchema, { ...spec, type: "command" }), false);
  assert.equal(fits(OperationSpecSchema, { ...spec, name: "" }), false);
  assert.equal(fits(OperationSpecSchema, { ...spec, inputSchema: true }), true);
});

Deno.test("AccessControlSchema and ErrorDefinitionSchema need what their types need", () => {
  assertNeeds(AccessControlSchema, spec.accessControl, ["requiredScopes"]);
  const definition = { code: "X", description: "", httpStatus: 418 };
  assert.equal(fits(ErrorDefinitionSchema, definition), false);
  for (const schema of [{}, null, true]) assert.equal(fits(ErrorDefinitionSchema, { ...definition, schema }), true);
  assert.equal(fits(ErrorDefinitionSchema, { ...definition, schema: null, httpStatus: 42 }), false);
  assert.equal(fits(ErrorDefinitionSchema, { description: "", schema: {} }), false);
});

Deno.test("OperationContextSchema needs nothing and checks what is there", () => {
  const identity = { id: "me", scopes: ["a"], resources: { "project:1": ["read"] } };
  assertNeeds(
    OperationContextSchema,
    { requestId: "r", parentRequestId: "p", identity, metadata: {}, trusted: true },
    [],
  );
  assert.equal(fits(OperationContextSchema, { identity: { id: "me" } }), false);
});

Deno.test("ResponseEnvelopeSchema accepts what the factories make, before and after JSON", () => {
  const block = { type: "text", text: "x", annotations: { audience: ["user"], priority: 1 } } as const;
  for (
    const envelope of [
      localEnvelope(undefined, "a.b"),
      httpEnvelope(1, { statusCode: 200, headers: { a: "b" }, contentType: "text/plain" }),
      mcpEnvelope(1, { isError: true, content: [block], structuredContent: { a: 1 }, _meta: {} }),
    ]
  ) {
    assert.deepEqual(collectErrors(ResponseEnvelopeSchema, envelope), []);
    assert.deepEqual(collectErrors(ResponseEnvelopeSchema, JSON.parse(JSON.stringify(envelope))), []);
    assert.deepEqual(collectErrors(ResponseMetaSchema, envelope.meta), []);
    assert.equal(fits(ResponseMetaSchema, { ...envelope.meta, source: "other" }), false);
  }
  assert.equal(fits(ResponseEnvelopeSchema, { data: 1 }), false);
});

Deno.test("CallEventMap has the five events and their fields", () => {
  assert.deepEqual(Object.keys(CallEventMap), [
    "call.requested",
    "call.responded",
    "call.completed",
    "call.aborted",
    "call.error",
  ]);
  const identity = { id: "me", scopes: [] };
  const requested = {
    requestId: "r",
    operationId: "a.b",
    parentRequestId: "p",
    deadline: 1,
    idleTimeout: 2,
    identity,
    metadata: {},
  };
  assertNeeds(CallEventMap["call.requested"], requested, ["requestId", "operationId"]);
  assertNeeds(CallEventMap["call.responded"], { requestId: "r", output: localEnvelope(1, "a.b") }, [
    "requestId",
    "output",
  ]);
  assertNeeds(CallEventMap["call.completed"], { requestId: "r" }, ["requestId"]);
  assertNeeds(CallEventMap["call.aborted"], { requestId: "r" }, ["requestId"]);
  assertNeeds(CallEventMap["call.error"], { requestId: "r", code: "X", message: "x" }, [
    "requestId",
    "code",
    "message",
  ]);
});
