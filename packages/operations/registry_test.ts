import assert from "node:assert/strict";
import { type TSchema, Type } from "@alkdev/typebox";
import { CallError, localEnvelope, mcpEnvelope, OperationRegistry, OperationType, type OutputWarning } from "./mod.ts";
import type { AnyHandler, OperationContext, OperationRegistration } from "./mod.ts";

function definition(handler?: AnyHandler, overrides: Partial<OperationRegistration> = {}): OperationRegistration {
  return {
    name: "echo",
    namespace: "core",
    version: "1.0.0",
    type: OperationType.QUERY,
    description: "Gives back what it was given.",
    inputSchema: Type.Object({ value: Type.Number() }),
    outputSchema: Type.Object({ value: Type.Number() }),
    accessControl: { requiredScopes: [] },
    ...(handler === undefined ? {} : { handler }),
    ...overrides,
  };
}

function withOutput(outputSchema: TSchema, answer: unknown) {
  const warnings: OutputWarning[] = [];
  const registry = new OperationRegistry({ warn: (warning) => void warnings.push(warning) });
  registry.register(definition(() => answer, { outputSchema }));
  return { registry, warnings };
}

Deno.test("register() takes no operation that does not say who may call it", () => {
  for (const accessControl of [undefined, null, {}, { requiredScopes: "operation:call" }]) {
    const registry = new OperationRegistry();
    // As of a caller without types: what the compiler refuses.
    const left = definition(() => ({ value: 1 }), { accessControl: accessControl as never });
    const refusal = /Operation "core\.echo" does not say who may call it/;
    assert.throws(() => registry.register(left), refusal);
    assert.throws(() => registry.registerAll([left]), refusal);
    assert.equal(registry.get("core.echo"), undefined);
  }
});

const isCode = (code: string) => (error: unknown) => error instanceof CallError && error.code === code;

Deno.test("execute() wraps the handler's value in a local envelope", async () => {
  const registry = new OperationRegistry();
  registry.register(definition((input) => input));
  const before = Date.now();
  const envelope = await registry.execute("core.echo", { value: 3 });
  assert.deepEqual(envelope.data, { value: 3 });
  assert.equal(envelope.meta.source, "local");
  assert.equal("operationId" in envelope.meta && envelope.meta.operationId, "core.echo");
  assert.ok("timestamp" in envelope.meta && envelope.meta.timestamp >= before);
});

Deno.test("execute() awaits a handler that answers later", async () => {
  const registry = new OperationRegistry();
  registry.register(definition((input) => Promise.resolve(input)));
  assert.deepEqual((await registry.execute("core.echo", { value: 3 })).data, { value: 3 });
});

Deno.test("execute() gives the handler the very context object", async () => {
  const registry = new OperationRegistry();
  let seen: OperationContext | undefined;
  registry.register(definition((input, context) => (seen = context, input)));
  const context = {
    get signal(): AbortSignal {
      throw new Error("signal was read");
    },
  };
  await registry.execute("core.echo", { value: 1 }, context);
  assert.equal(seen, context);
});

Deno.test("execute() rejects with OPERATION_NOT_FOUND when there is no spec or no handler", async () => {
  const registry = new OperationRegistry();
  await assert.rejects(registry.execute("core.echo", {}), isCode("OPERATION_NOT_FOUND"));
  registry.registerSpec(definition((input) => input));
  await assert.rejects(
    registry.execute("core.echo", {}),
    (error: CallError) => error.code === "OPERATION_NOT_FOUND" && /no handler/.test(error.message),
  );
});

Deno.test("execute() checks access before it validates the input", async () => {
  const registry = new OperationRegistry();
  registry.register(definition((input) => input, { accessControl: { requiredScopes: ["a"] } }));
  await assert.rejects(registry.execute("core.echo", "bad"), isCode("ACCESS_DENIED"));
  const identity = { id: "me", scopes: ["a"] };
  await assert.rejects(registry.execute("core.echo", "bad", { identity }), isCode("VALIDATION_ERROR"));
  await assert.rejects(registry.execute("core.echo", "bad", { trusted: true }), isCode("VALIDATION_ERROR"));
});

Deno.test("execute() names path, value and want when the input does not fit, and does not call the handler", async () => {
  const registry = new OperationRegistry();
  let called = false;
  registry.register(definition((input) => (called = true, input)));
  await assert.rejects(registry.execute("core.echo", { value: "x" }), (error: CallError) => {
    assert.equal(error.code, "VALIDATION_ERROR");
    assert.equal(error.message, 'Input of operation "core.echo" is not valid:\n  - /value: is "x": wanted number');
    assert.deepEqual(error.details, { errors: [{ path: "/value", message: 'is "x": wanted number' }] });
    return true;
  });
  assert.equal(called, false);
});

Deno.test("execute() passes an envelope through instead of nesting it", async () => {
  const envelope = localEnvelope({ value: 1 }, "other.op");
  const { registry } = withOutput(Type.Object({ value: Type.Number() }), envelope);
  assert.equal(await registry.execute("core.echo", { value: 1 }), envelope);
});

Deno.test("execute() answers undefined data when the handler returns nothing", async () => {
  const { registry, warnings } = withOutput(Type.Unknown(), undefined);
  assert.equal((await registry.execute("core.echo", { value: 1 })).data, undefined);
  assert.deepEqual(warnings, []);
});

Deno.test("execute() leaves an output that fits as it is, extra properties included", async () => {
  const answer = { value: 1, extra: true };
  const { registry, warnings } = withOutput(Type.Object({ value: Type.Number() }), answer);
  assert.equal((await registry.execute("core.echo", { value: 1 })).data, answer);
  assert.deepEqual(warnings, []);
});

Deno.test("execute() casts an output that does not fit, warns, and does not fail", async () => {
  const answer = { value: "5" };
  const { registry, warnings } = withOutput(Type.Object({ value: Type.Number(), more: Type.String() }), answer);
  assert.deepEqual((await registry.execute("core.echo", { value: 1 })).data, { value: 0, more: "" });
  assert.deepEqual(answer, { value: "5" });
  assert.equal(warnings.length, 1);
  assert.equal(warnings[0]?.operationId, "core.echo");
  assert.equal(warnings[0]?.cast, true);
  assert.deepEqual(warnings[0]?.errors.map((error) => error.path).toSorted(), ["/more", "/value"]);
});

Deno.test("execute() keeps an output that cannot be cast", async () => {
  const { registry, warnings } = withOutput(Type.String({ pattern: "^a+$" }), "b");
  assert.equal((await registry.execute("core.echo", { value: 1 })).data, "b");
  assert.equal(warnings[0]?.cast, false);
});

Deno.test("execute() does not cast the data of a failed MCP tool", async () => {
  const envelope = mcpEnvelope([{ type: "text", text: "no" }], { isError: true, content: [] });
  const { registry, warnings } = withOutput(Type.Object({ value: Type.Number() }), envelope);
  assert.equal(await registry.execute("core.echo", { value: 1 }), envelope);
  assert.deepEqual(warnings, []);
});

Deno.test("execute() rejects with the handler's own error", async () => {
  const registry = new OperationRegistry();
  const boom = new Error("boom");
  registry.register(definition(() => {
    throw boom;
  }));
  await assert.rejects(registry.execute("core.echo", { value: 1 }), (error) => error === boom);
});

Deno.test("execute() refuses a subscription", async () => {
  const registry = new OperationRegistry();
  registry.register(definition(async function* () {}, { type: OperationType.SUBSCRIPTION }));
  await assert.rejects(registry.execute("core.echo", { value: 1 }), isCode("EXECUTION_ERROR"));
});

Deno.test("invoke() answers without a promise when the handler does", () => {
  const registry = new OperationRegistry();
  registry.register(definition((input) => input));
  const envelope = registry.invoke("core.echo", { value: 3 });
  assert.ok("data" in envelope);
  assert.throws(() => registry.invoke("core.nope", {}), isCode("OPERATION_NOT_FOUND"));
});

Deno.test("register() refuses a subscription handler that is not an async generator function", () => {
  const registry = new OperationRegistry();
  const subscription = { type: OperationType.SUBSCRIPTION };
  assert.throws(() => registry.register(definition(() => [], subscription)), /async generator/);
  registry.registerSpec(definition(undefined, subscription));
  assert.throws(() => registry.registerHandler("core.echo", async () => {}), /async generator/);
  registry.registerHandler("core.echo", async function* () {});
});

Deno.test("registerHandler() throws when no spec has the id", () => {
  assert.throws(() => new OperationRegistry().registerHandler("core.echo", () => 1), /no spec has that id/);
});

Deno.test("register() overwrites silently, and keeps the handler when the new registration has none", async () => {
  const registry = new OperationRegistry();
  registry.register(definition(() => ({ value: 1 })));
  registry.register(definition(undefined, { version: "2.0.0" }));
  assert.equal(registry.getSpec("core.echo")?.version, "2.0.0");
  assert.deepEqual((await registry.execute("core.echo", { value: 1 })).data, { value: 1 });
  registry.register(definition(() => ({ value: 2 })));
  assert.deepEqual((await registry.execute("core.echo", { value: 1 })).data, { value: 2 });
  assert.equal(registry.list().length, 1);
});

Deno.test("get() merges spec and handler, and is undefined unless both are there", () => {
  const registry = new OperationRegistry();
  registry.registerSpec(definition());
  assert.equal(registry.get("core.echo"), undefined);
  const handler = () => ({ value: 1 });
  registry.registerHandler("core.echo", handler);
  assert.equal(registry.get("core.echo")?.handler, handler);
  assert.equal(registry.getByName("core", "echo")?.name, "echo");
  assert.equal(registry.getHandler("core.echo"), handler);
  assert.equal("handler" in (registry.getSpec("core.echo") ?? {}), false);
});

Deno.test("unregister() forgets spec and handler", async () => {
  const registry = new OperationRegistry();
  registry.register(definition((input) => input));
  assert.equal(registry.unregister("core.echo"), true);
  assert.equal(registry.unregister("core.echo"), false);
  await assert.rejects(registry.execute("core.echo", { value: 1 }), isCode("OPERATION_NOT_FOUND"));
});

Deno.test("register() takes plain JSON Schema as it comes over a wire", async () => {
  const registry = new OperationRegistry();
  const wire = JSON.parse(JSON.stringify(definition()));
  registry.register({ ...wire, handler: (input: unknown) => input });
  assert.deepEqual((await registry.execute("core.echo", { value: 3 })).data, { value: 3 });
  await assert.rejects(registry.execute("core.echo", { value: "3" }), isCode("VALIDATION_ERROR"));
});

Deno.test("register() says which schema is broken, and stores nothing", () => {
  const registry = new OperationRegistry();
  assert.throws(
    () => registry.register(definition(undefined, { outputSchema: { type: "strin" } })),
    (error: CallError) =>
      error.code === "VALIDATION_ERROR" && error.message.startsWith('Output schema of operation "core.echo"') &&
      error.message.includes('"#/type"'),
  );
  assert.equal(registry.getSpec("core.echo"), undefined);
});

Deno.test("OperationRegistry takes schemas of another library through its adapter", async () => {
  const schemaAdapter = {
    toTypeBox: (schema: unknown) => {
      if (schema === "number") return Type.Number();
      throw new Error("what is this?");
    },
  };
  const registry = new OperationRegistry({ schemaAdapter });
  registry.registerAll([definition((input) => input, { inputSchema: "number", outputSchema: "number" })]);
  assert.equal((await registry.execute("core.echo", 3)).data, 3);
  assert.throws(() => registry.register(definition(undefined, { inputSchema: "other" })), {
    code: "VALIDATION_ERROR",
    message: 'Input schema of operation "core.echo" cannot be used: what is this?',
  });
  assert.deepEqual(registry.getAllSpecs(), registry.list());
});

Deno.test("register() refuses a TypeBox schema with something else inside", () => {
  const inputSchema = { ...Type.Object({}), properties: { a: { type: "string" } } };
  assert.throws(
    () => new OperationRegistry().register(definition(undefined, { inputSchema })),
    isCode("VALIDATION_ERROR"),
  );
});
