/**
 * What the published package promises, by the sections of its reference (3.1 to 3.11). Tests beside the code go deeper.
 * Where the reference is at odds with itself: docs/decisions/0021-published-packages.md.
 */
import assert from "node:assert/strict";
import { createPubSub } from "@alkdev/pubsub";
import { type TSchema, Type } from "@alkdev/typebox";
import { Value } from "@alkdev/typebox/value";
import { FromOpenAPI, OpenAPIServiceRegistry } from "./from_openapi/mod.ts";
import {
  AccessControlSchema,
  assertIsSchema,
  buildCallHandler,
  buildEnv,
  CallError,
  CallEventMap,
  type CallRequestedEvent,
  checkAccess,
  collectErrors,
  ErrorDefinitionSchema,
  formatValueErrors,
  FromSchema,
  httpEnvelope,
  InfrastructureErrorCode,
  isResponseEnvelope,
  localEnvelope,
  mapError,
  mcpEnvelope,
  type OperationContext,
  OperationContextSchema,
  type OperationRegistration,
  OperationRegistry,
  OperationSpecSchema,
  OperationType,
  PendingRequestMap,
  RESPONSE_SOURCES,
  ResponseEnvelopeSchema,
  subscribe,
  unwrap,
  validateOrThrow,
} from "./mod.ts";

function operation(more: Partial<OperationRegistration> = {}): OperationRegistration {
  return {
    namespace: "math",
    name: "double",
    version: "1.0.0",
    type: "query",
    description: "",
    inputSchema: Type.Object({ n: Type.Number() }),
    outputSchema: Type.Unknown(),
    accessControl: { requiredScopes: [] },
    handler: () => 2,
    ...more,
  };
}

function registryOf(...operations: OperationRegistration[]): OperationRegistry {
  const registry = new OperationRegistry();
  registry.registerAll(operations);
  return registry;
}

Deno.test("3.1: types have the published values, and schemas are values", () => {
  assert.deepEqual(Object.values(OperationType), ["query", "mutation", "subscription"]);
  const { handler: _handler, ...spec } = operation();
  assert.ok(Value.Check(OperationSpecSchema, spec));
  for (const field of ["name", "namespace", "version", "type", "inputSchema", "outputSchema", "accessControl"]) {
    assert.ok(!Value.Check(OperationSpecSchema, { ...spec, [field]: undefined }), field);
  }
  assert.ok(!Value.Check(AccessControlSchema, {}), "requiredScopes is a required field");
  assert.ok(Value.Check(ErrorDefinitionSchema, { code: "A", description: "b", schema: {}, httpStatus: 404 }));
  assert.ok(Value.Check(OperationContextSchema, { requestId: "r", identity: { id: "a", scopes: [] } }));
});

Deno.test("3.2: specs and handlers can be registered apart, and are found by dotted id", async () => {
  const registry = new OperationRegistry();
  const { handler, ...spec } = operation();
  assert.throws(() => registry.registerHandler("math.double", () => 1));
  registry.registerSpec(spec);
  assert.equal(registry.get("math.double"), undefined);
  assert.equal(registry.getSpec("math.double")?.name, "double");
  await assert.rejects(registry.execute("math.double", { n: 1 }), (error) => {
    assert.ok(error instanceof CallError);
    assert.deepEqual([error.code, /handler/.test(error.message)], ["OPERATION_NOT_FOUND", true]);
    return true;
  });
  registry.registerHandler("math.double", handler ?? assert.fail());
  assert.equal(registry.getByName("math", "double")?.handler, handler);
  registry.register(operation({ description: "again" }));
  assert.deepEqual(registry.list().map(({ description }) => description), ["again"]);
  assert.deepEqual(registry.getAllSpecs(), registry.list());
  await assert.rejects(registry.execute("math.none", {}), { code: "OPERATION_NOT_FOUND" });
  assert.ok(registry.unregister("math.double") && !registry.unregister("math.double"));
  const subscription = operation({ type: "subscription", handler: () => 1 });
  assert.throws(() => registry.register(subscription), /async generator function/);
});

Deno.test("3.2: execute() looks, asks for access, checks the input, runs, wraps, casts and warns, in this order", async () => {
  const log: string[] = [];
  const warned: unknown[] = [];
  const registry = new OperationRegistry({ warn: ({ operationId }) => warned.push(operationId) });
  registry.register(operation({
    accessControl: { requiredScopes: ["a"] },
    outputSchema: Type.Object({ n: Type.Number(), m: Type.Number() }),
    handler: () => {
      log.push("ran");
      return { n: 1 };
    },
  }));
  const identity = { id: "me", scopes: ["a"] };
  await assert.rejects(registry.execute("math.double", "wrong"), { code: "ACCESS_DENIED" });
  await assert.rejects(registry.execute("math.double", "wrong", { identity }), { code: "VALIDATION_ERROR" });
  assert.deepEqual([log, warned], [[], []]);
  const { data, meta } = await registry.execute("math.double", { n: 1 }, { trusted: true });
  assert.deepEqual([data, log, warned], [{ n: 1, m: 0 }, ["ran"], ["math.double"]]);
  assert.ok(meta.source === "local" && meta.operationId === "math.double" && meta.timestamp <= Date.now());
});

Deno.test("3.3: access takes all of requiredScopes, one of requiredScopesAny, and any resource of the type", () => {
  const rule = { requiredScopes: ["a", "b"], requiredScopesAny: ["c", "d"], resourceType: "r", resourceAction: "read" };
  const resources = { "r:1": ["read"] };
  const holds = (scopes: string[], held: Record<string, string[]> = resources) =>
    checkAccess(rule, { id: "x", scopes, resources: held });
  assert.ok(holds(["a", "b", "d"]));
  assert.deepEqual([holds(["a", "c"]), holds(["a", "b"]), holds(["a", "b", "c"], { "s:1": ["read"] })], [
    false,
    false,
    false,
  ]);
  assert.ok(!holds(["a", "b", "c"], { "r:1": ["write"] }));
  assert.ok(
    checkAccess({ requiredScopes: [], resourceType: "r" }, { id: "x", scopes: [] }),
    "a rule needs both halves",
  );
});

Deno.test("3.3: a nested call is trusted and has the caller's identity; a remote one is not trusted, whatever it says", async () => {
  const seen: OperationContext[] = [];
  const inner = operation({
    name: "inner",
    accessControl: { requiredScopes: ["root"] },
    handler: (_input, context) => seen.push(context),
  });
  const stream = operation({ name: "stream", type: "subscription", handler: async function* () {} });
  const registry = registryOf(inner, stream, operation({ namespace: "other" }));
  const context = { requestId: "r1", identity: { id: "me", scopes: [] } };
  const env = buildEnv({ registry, context, allowedNamespaces: ["math"] });
  assert.deepEqual([Object.keys(env), Object.keys(env["math"] ?? {})], [["math"], ["inner"]]);
  await env["math"]?.["inner"]?.({ n: 1 });
  assert.deepEqual([seen[0]?.trusted, seen[0]?.identity?.id], [true, "me"]);
  const callMap = new PendingRequestMap();
  const forged = { requestId: "r2", operationId: "math.inner", input: { n: 1 }, trusted: true };
  const target = new EventTarget();
  const codes: string[] = [];
  target.addEventListener("call.error:", (event) => {
    if (event instanceof CustomEvent) codes.push(event.detail.payload.code);
  });
  await buildCallHandler({ registry, callMap: new PendingRequestMap(target) })(forged);
  assert.deepEqual([codes, seen.length], [["ACCESS_DENIED"], 1]);
  callMap.close();
});

Deno.test("3.4: validation helpers say where and what", () => {
  const schema = Type.Object({ n: Type.Number() });
  const [issue] = collectErrors(schema, { n: "x" });
  assert.equal(issue?.path, "/n");
  assert.match(formatValueErrors(collectErrors(schema, { n: "x" })), /^ {2}- \/n: /);
  assert.throws(() => validateOrThrow(schema, {}, "Input"), /Input[\s\S]*- \/n: /);
  assert.throws(() => assertIsSchema({ type: "object" }, "Schema"));
});

Deno.test("3.5: envelopes are told by meta.source, pass as they are, and survive JSON", async () => {
  assert.deepEqual(RESPONSE_SOURCES, ["local", "http", "mcp"]);
  const http = httpEnvelope(1, { statusCode: 200, headers: {}, contentType: "application/json" });
  const mcp = mcpEnvelope([], { isError: true, content: [] });
  for (const envelope of [http, mcp, localEnvelope(1, "a.b")]) {
    assert.ok(isResponseEnvelope(JSON.parse(JSON.stringify(envelope))));
    assert.ok(Value.Check(ResponseEnvelopeSchema, envelope));
  }
  assert.ok(!isResponseEnvelope({ data: 1, meta: { source: "other" } }) && !isResponseEnvelope(null));
  assert.equal(unwrap(http), 1);
  const registry = registryOf(operation({ handler: () => mcp }), operation({ name: "none", handler: () => {} }));
  assert.equal(await registry.execute("math.double", { n: 1 }), mcp, "not nested, and isError is not thrown");
  const { data } = await registry.execute("math.none", { n: 1 });
  assert.equal(data, undefined);
});

Deno.test("3.6: seven infrastructure codes; mapError() keeps, declares, or names what was thrown", () => {
  assert.deepEqual(Object.values(InfrastructureErrorCode).sort(), [
    "ABORTED",
    "ACCESS_DENIED",
    "EXECUTION_ERROR",
    "OPERATION_NOT_FOUND",
    "TIMEOUT",
    "UNKNOWN_ERROR",
    "VALIDATION_ERROR",
  ]);
  const declared = [{ code: "BUSY", description: "", schema: {} }];
  const call = new CallError("ANY", "x");
  assert.equal(mapError(call, declared), call);
  assert.equal(mapError(new Error("BUSY"), declared).code, "BUSY");
  assert.equal(mapError(new Error("BUSY: later"), declared).code, "BUSY");
  assert.equal(mapError(new Error("BUSYNESS"), declared).code, "EXECUTION_ERROR");
  const unknown = mapError("text");
  assert.deepEqual([unknown.code, unknown.details], ["UNKNOWN_ERROR", { raw: "text" }]);
});

/** A caller and a handler on one in-process target, where every map hears its own events too. */
function served(registry: OperationRegistry) {
  const eventTarget = new EventTarget();
  const [caller, handling] = [new PendingRequestMap(eventTarget), new PendingRequestMap(eventTarget)];
  const handle = buildCallHandler({ registry, callMap: handling });
  const requests: CallRequestedEvent[] = [];
  const events: string[] = [];
  for (const type of Object.keys(CallEventMap)) {
    eventTarget.addEventListener(`${type}:`, (event) => {
      if (!(event instanceof CustomEvent)) return;
      events.push(type);
      const schema = CallEventMap[type as keyof typeof CallEventMap] satisfies TSchema;
      assert.ok(Value.Check(schema, event.detail.payload), `${type}: ${JSON.stringify(event.detail.payload)}`);
      if (type !== "call.requested") return;
      requests.push(event.detail.payload);
      void handle(event.detail.payload);
    });
  }
  return { caller, eventTarget, requests, events };
}

Deno.test("3.7: five events, with UUIDs, no timestamps, and call.completed for subscriptions alone", async () => {
  const stream = operation({
    name: "count",
    type: "subscription",
    handler: async function* () {
      yield 1;
      yield 2;
    },
  });
  assert.deepEqual(Object.keys(CallEventMap).sort(), [
    "call.aborted",
    "call.completed",
    "call.error",
    "call.requested",
    "call.responded",
  ]);
  const { caller, requests, events } = served(registryOf(operation(), stream));
  const deadline = Date.now() + 60_000;
  const identity = { id: "me", scopes: [] };
  await caller.call("math.double", { n: 1 }, { parentRequestId: "p", deadline, identity });
  const { requestId, ...rest } = requests[0] ?? assert.fail();
  assert.match(requestId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual(rest, {
    operationId: "math.double",
    input: { n: 1 },
    parentRequestId: "p",
    deadline,
    identity,
  });
  assert.deepEqual(events, ["call.requested", "call.responded"]);
  events.length = 0;
  const values: unknown[] = [];
  for await (const { data } of caller.subscribe("math.count", { n: 1 }, { idleTimeout: 5_000 })) values.push(data);
  assert.deepEqual(values, [1, 2]);
  assert.equal(requests[1]?.idleTimeout, 5_000);
  assert.deepEqual(events, ["call.requested", "call.responded", "call.responded", "call.completed"]);
});

Deno.test("3.8: a PendingRequestMap refuses, ends and ignores as it says", async () => {
  const map = new PendingRequestMap();
  assert.throws(() => map.respond("r", JSON.parse('{"data":1}')), TypeError);
  map.abort("unknown");
  map.emitError("unknown", "A", "b");
  assert.equal(map.getPendingCount(), 0);
  await assert.rejects(map.call("a.b", 1, { deadline: Date.now() - 5 }), { code: "TIMEOUT" });

  const eventTarget = new EventTarget();
  const requests = createPubSub<CallEventMap>({ eventTarget }).subscribe("call.requested", "");
  const other = new PendingRequestMap(eventTarget);
  const idOf = async (call: Promise<unknown> | AsyncIterableIterator<unknown>) => {
    void call;
    return (await requests.next()).value?.payload.requestId ?? assert.fail();
  };
  const listening = requests.next();
  const first = other.call("a.b", 1);
  const firstId = (await listening).value?.payload.requestId ?? assert.fail();
  other.complete(firstId);
  await assert.rejects(first, { code: "ABORTED", message: /completed without response/ });
  const second = other.call("a.b", 1);
  const secondId = await idOf(second);
  other.abort(secondId);
  await assert.rejects(second, { code: "ABORTED" });
  const values = other.subscribe("a.b", 1);
  assert.equal(other.getPendingCount(), 0, "nothing is asked before the first value is");
  const value = values.next();
  const thirdId = await idOf(values);
  other.abort(thirdId);
  assert.equal((await value).done, true, "an aborted subscription ends in silence");
  const failing = other.subscribe("a.b", 1, { idleTimeout: 1 });
  await assert.rejects(failing.next(), { code: "TIMEOUT", details: { idleTimeout: 1 } });
  await requests.return();
});

Deno.test("3.9: a caller who stops ends the handler's generator, which the published handler leaves running", async () => {
  const ended = Promise.withResolvers<void>();
  const { caller, events } = served(registryOf(operation({
    type: "subscription",
    handler: async function* () {
      try {
        for (let n = 0;; n++) yield n;
      } finally {
        ended.resolve();
      }
    },
  })));
  for await (const { data } of caller.subscribe("math.double", { n: 1 })) if (data === 1) break;
  await ended.promise;
  assert.ok(events.includes("call.aborted") && !events.includes("call.completed"));
});

Deno.test("3.10: subscribe() in this process checks, wraps, and ends the generator", async () => {
  let ended = false;
  const registry = registryOf(operation({
    type: "subscription",
    accessControl: { requiredScopes: ["a"] },
    handler: async function* () {
      try {
        yield 1;
        yield mcpEnvelope(2, { isError: false, content: [] });
      } finally {
        ended = true;
      }
    },
  }));
  await assert.rejects(subscribe(registry, "math.double", { n: 1 }).next(), { code: "ACCESS_DENIED" });
  const context = { identity: { id: "me", scopes: ["a"] } };
  await assert.rejects(subscribe(registry, "math.double", {}, context).next(), { code: "VALIDATION_ERROR" });
  const sources: string[] = [];
  for await (const { meta } of subscribe(registry, "math.double", { n: 1 }, context)) {
    sources.push(meta.source);
    if (sources.length === 2) break;
  }
  assert.deepEqual([sources, ended], [["local", "mcp"], true]);
});

Deno.test("3.11: FromSchema() reads every published kind", () => {
  const schemas = [
    [{ type: "object", properties: { a: { type: "string" } }, required: ["a"] }, { a: "x" }, {}],
    [{ type: "array", items: { type: "integer" } }, [1], [1.5]],
    [{ type: "array", prefixItems: [{ type: "string" }, { type: "number" }], items: false }, ["a", 1], [
      1,
      "a",
    ]],
    [{ type: "boolean" }, true, 1],
    [{ type: "null" }, null, 0],
    [{ enum: ["a", 1] }, 1, 2],
    [{ const: "a" }, "a", "b"],
    [{ allOf: [{ minimum: 1, type: "number" }, { maximum: 2, type: "number" }] }, 2, 3],
    [{ anyOf: [{ type: "string" }, { type: "number" }] }, 1, true],
    [{ oneOf: [{ type: "string" }, { type: "number" }] }, "a", true],
    [{ $ref: "#/$defs/n", $defs: { n: { type: "number" } } }, 1, "1"],
  ] as const;
  for (const [schema, good, bad] of schemas) {
    const read = FromSchema(schema);
    assert.deepEqual([Value.Check(read, good), Value.Check(read, bad)], [true, false], JSON.stringify(schema));
  }
});

Deno.test("3.11: FromOpenAPI() names, types and reaches as published", async () => {
  const get = { parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }], summary: "One." };
  const events = {
    responses: { 200: { description: "", content: { "text/event-stream": {} } } },
    operationId: "follow",
  };
  const document = { openapi: "3.1.0", paths: { "/pets/{id}": { get, delete: get }, "/events": { get: events } } };
  const asked: Request[] = [];
  const fetch = (...args: Parameters<typeof globalThis.fetch>) => {
    const request = new Request(...args);
    asked.push(request);
    if (request.method === "DELETE") return Promise.resolve(new Response("no", { status: 409 }));
    if (!request.url.endsWith("/events")) return Promise.resolve(Response.json({ name: "Rex" }));
    const headers = { "content-type": "text/event-stream" };
    return Promise.resolve(new Response('id: 1\nevent: x\ndata: {"n":1}\n\ndata: {"n":2}\n\n', { headers }));
  };
  const auth = { type: "apiKey", token: "k" } as const;
  const operations = FromOpenAPI(document, { namespace: "p", baseUrl: "https://x.example/v1", auth, fetch });
  assert.deepEqual(operations.map(({ name, type }) => `${name} ${type}`).sort(), [
    "delete_pets_id mutation",
    "follow subscription",
    "get_pets_id query",
  ]);
  const registry = new OperationRegistry();
  const services = new OpenAPIServiceRegistry();
  services.add(document, { namespace: "p", baseUrl: "https://x.example/v1", auth, fetch });
  services.registerAll(registry);
  const { data, meta } = await registry.execute("p.get_pets_id", { id: "7" });
  assert.deepEqual([data, meta.source === "http" && meta.statusCode], [{ name: "Rex" }, 200]);
  assert.deepEqual([asked[0]?.url, asked[0]?.headers.get("x-api-key")], ["https://x.example/v1/pets/7", "k"]);
  const { method, path, summary } = registry.getSpec("p.get_pets_id")?._meta ?? {};
  assert.deepEqual([String(method).toUpperCase(), path, summary], ["GET", "/pets/{id}", "One."]);
  await assert.rejects(registry.execute("p.delete_pets_id", { id: "7" }), { code: "EXECUTION_ERROR" });
  const frames: unknown[] = [];
  for await (const frame of subscribe(registry, "p.follow", {})) frames.push([frame.data, frame.meta.source]);
  assert.deepEqual(frames, [[{ n: 1 }, "http"], [{ n: 2 }, "http"]]);
});
