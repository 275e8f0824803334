import assert from "node:assert/strict";
import { Type } from "@alkdev/typebox";
import { buildEnv, localEnvelope, OperationRegistry, subscribe } from "./mod.ts";
import type { AnyHandler, OperationContext, OperationRegistration } from "./mod.ts";

function add(registry: OperationRegistry, handler: AnyHandler, overrides: Partial<OperationRegistration> = {}) {
  registry.register({
    name: "ticks",
    namespace: "clock",
    version: "1.0.0",
    type: "subscription",
    description: "",
    inputSchema: Type.Object({ count: Type.Integer() }),
    outputSchema: Type.Unknown(),
    accessControl: { requiredScopes: [] },
    ...overrides,
    handler,
  });
}

Deno.test("subscribe() wraps each value in an envelope, unless it is one", async () => {
  const registry = new OperationRegistry();
  const envelope = localEnvelope("x", "other.op");
  add(registry, async function* () {
    yield 1;
    yield envelope;
  });
  const [first, second] = await Array.fromAsync(subscribe(registry, "clock.ticks", { count: 2 }, {}));
  assert.deepEqual([first?.data, first?.meta.source], [1, "local"]);
  assert.equal(second, envelope);
});

Deno.test("subscribe() checks existence, access and input at the first step", async () => {
  const registry = new OperationRegistry();
  await assert.rejects(subscribe(registry, "clock.ticks", {}).next(), { code: "OPERATION_NOT_FOUND" });
  add(registry, async function* () {}, { accessControl: { requiredScopes: ["x"] } });
  await assert.rejects(subscribe(registry, "clock.ticks", {}).next(), { code: "ACCESS_DENIED" });
  await assert.rejects(subscribe(registry, "clock.ticks", {}, { trusted: true }).next(), { code: "VALIDATION_ERROR" });
});

Deno.test("subscribe() refuses an operation that gives nothing to iterate", async () => {
  const registry = new OperationRegistry();
  add(registry, () => 1, { type: "query" });
  await assert.rejects(subscribe(registry, "clock.ticks", { count: 1 }).next(), { code: "EXECUTION_ERROR" });
});

Deno.test("subscribe() ends the handler's generator when the consumer stops", async () => {
  const registry = new OperationRegistry();
  let ended = false;
  add(registry, async function* () {
    try {
      while (true) yield 1;
    } finally {
      ended = true;
    }
  });
  for await (const _ of subscribe(registry, "clock.ticks", { count: 1 })) break;
  assert.equal(ended, true);
});

Deno.test("buildEnv() offers queries and mutations by namespace and name, trusted, with the outer identity", async () => {
  const registry = new OperationRegistry();
  let seen: OperationContext | undefined;
  const handler = (input: unknown, context: OperationContext) => (seen = context, input);
  add(registry, async function* () {});
  add(registry, handler, { name: "set", type: "mutation", accessControl: { requiredScopes: ["x"] } });
  add(registry, handler, { name: "get", type: "query", namespace: "other" });
  const controller = new AbortController();
  let progress: unknown;
  const context: OperationContext = {
    requestId: "r",
    identity: { id: "me", scopes: [] },
    signal: controller.signal,
    progress: (value) => void (progress = value),
  };
  const env = buildEnv({ registry, context });
  assert.deepEqual(Object.keys(env).map((name) => [name, Object.keys(env[name] ?? {})]), [
    ["clock", ["set"]],
    ["other", ["get"]],
  ]);
  assert.deepEqual((await env["clock"]?.["set"]?.({ count: 1 }))?.data, { count: 1 });
  assert.deepEqual([seen?.trusted, seen?.requestId, seen?.identity?.id], [true, "r", "me"]);
  assert.equal(seen?.signal, controller.signal);
  seen?.progress?.(1);
  assert.equal(progress, 1);
  await assert.rejects(env["clock"]?.["set"]?.({}) ?? Promise.resolve(), { code: "VALIDATION_ERROR" });
});

Deno.test("buildEnv() keeps to the allowed namespaces", () => {
  const registry = new OperationRegistry();
  add(registry, () => 1, { type: "query" });
  add(registry, () => 1, { type: "query", namespace: "__proto__" });
  assert.deepEqual(Object.keys(buildEnv({ registry, context: {}, allowedNamespaces: ["clock"] })), ["clock"]);
  assert.equal(buildEnv({ registry, context: {}, allowedNamespaces: [] })["constructor"], undefined);
});

Deno.test("buildEnv() does not read the outer signal until a handler does", async () => {
  const registry = new OperationRegistry();
  add(registry, (input) => input, { type: "query" });
  const context = {
    get signal(): AbortSignal {
      throw new Error("signal was read");
    },
  };
  await buildEnv({ registry, context })["clock"]?.["ticks"]?.({ count: 1 });
});
