import assert from "node:assert/strict";
import { Type } from "@alkdev/typebox";
import { CallError, OperationRegistry, type OperationSpec, type ResponseEnvelope } from "@alkdev/operations";
import type { Clock, DispatchedCall } from "../../engine/ports.ts";
import { createDispatcher, type DispatcherOptions } from "./dispatcher.ts";
import type { HubDispatcher, RemoteOperations } from "./ports.ts";

const nowhere: RemoteOperations = {
  spec: () => undefined,
  specs: () => [],
  call: () => Promise.reject(new Error("not remote")),
  stream: () => {
    throw new Error("not remote");
  },
};

/** Alarms go off when told to. */
class Alarms implements Clock {
  readonly callbacks = new Set<() => void>();
  now(): number {
    return 1000;
  }
  at(_due: number, callback: () => void): () => void {
    this.callbacks.add(callback);
    return () => this.callbacks.delete(callback);
  }
  afterTurn(callback: () => void): void {
    callback();
  }
  ring(): void {
    for (const callback of [...this.callbacks]) callback();
    this.callbacks.clear();
  }
}

interface Setup {
  readonly dispatcher: HubDispatcher;
  readonly registry: OperationRegistry;
  readonly clock: Alarms;
}

function setup(options: Partial<DispatcherOptions> = {}): Setup {
  const registry = new OperationRegistry();
  const clock = new Alarms();
  const dispatcher = createDispatcher({ registry, pool: nowhere, clock, ...options });
  return { dispatcher, registry, clock };
}

function callOf(operationId: string, input: DispatchedCall["input"] = {}, more: Partial<DispatchedCall> = {}) {
  const call: DispatchedCall = {
    requestId: "r1",
    operationId,
    input,
    identity: { id: "ann", scopes: [] },
    orgId: "acme",
    runId: "run-1",
    nodeKey: "a",
    attempt: 2,
    parentRequestId: "run-1",
    deadline: null,
    spoke: null,
    signal: new AbortController().signal,
    ...more,
  };
  return call;
}

const caller = (...scopes: string[]) => ({ identity: { id: "ann", scopes }, orgId: "acme" });
const hasCode = (code: string) => (error: unknown) => {
  assert(error instanceof CallError, `wanted a CallError, got ${error}`);
  assert.equal(error.code, code);
  return true;
};

const remoteSpec: OperationSpec = {
  namespace: "demo",
  name: "far",
  version: "1.0.0",
  type: "query",
  description: "Far away",
  inputSchema: Type.Object({ n: Type.Number() }),
  outputSchema: Type.Unknown(),
  accessControl: { requiredScopes: ["demo:use"] },
};

function remote(spec: OperationSpec = remoteSpec): RemoteOperations & { readonly calls: DispatchedCall[] } {
  const calls: DispatchedCall[] = [];
  const envelope = (data: unknown): ResponseEnvelope => ({
    data,
    meta: { source: "local", operationId: "demo.far", timestamp: 0 },
  });
  return {
    calls,
    spec: (orgId, id) => orgId === "acme" && id === `${spec.namespace}.${spec.name}` ? spec : undefined,
    specs: (orgId) => orgId === "acme" ? [spec] : [],
    call(call) {
      calls.push(call);
      return Promise.resolve(envelope("from afar"));
    },
    async *stream(call) {
      calls.push(call);
      yield envelope(1);
      yield envelope(2);
    },
  };
}

Deno.test("dispatch() answers from a local handler, with the call as its context", async () => {
  const { dispatcher, registry } = setup();
  registry.register({
    namespace: "demo",
    name: "who",
    version: "1.0.0",
    type: "query",
    description: "",
    inputSchema: {},
    outputSchema: {},
    accessControl: { requiredScopes: [] },
    handler: (_input, { requestId, parentRequestId, identity, metadata, trusted }) => ({
      requestId,
      parentRequestId,
      identity,
      metadata,
      trusted: trusted ?? "no",
    }),
  });
  const { data } = await dispatcher.dispatch(callOf("demo.who"));
  assert.deepEqual(data, {
    requestId: "r1",
    parentRequestId: "run-1",
    identity: { id: "ann", scopes: [] },
    metadata: { runId: "run-1", nodeKey: "a", attempt: 2 },
    trusted: "no",
  });
});

Deno.test("dispatch() does not make the signal when the handler does not read it", async () => {
  const { dispatcher } = setup();
  const call = callOf("core.echo", { value: 1 });
  Object.defineProperty(call, "signal", {
    get: () => assert.fail("the signal was read"),
  });
  assert.deepEqual((await dispatcher.dispatch(call)).data, { value: 1 });
});

Deno.test("dispatch() rejects with a CallError when the handler throws anything", async () => {
  const { dispatcher, registry } = setup();
  const base = { namespace: "demo", version: "1.0.0", type: "query" as const, description: "", inputSchema: {} };
  const open = { outputSchema: {}, accessControl: { requiredScopes: [] } };
  registry.register({
    ...base,
    ...open,
    name: "now",
    handler: () => {
      throw new Error("at once");
    },
  });
  registry.register({ ...base, ...open, name: "later", handler: () => Promise.reject("a text") });
  await assert.rejects(dispatcher.dispatch(callOf("demo.now")), hasCode("EXECUTION_ERROR"));
  await assert.rejects(dispatcher.dispatch(callOf("demo.later")), hasCode("UNKNOWN_ERROR"));
  await assert.rejects(dispatcher.dispatch(callOf("demo.none")), hasCode("OPERATION_NOT_FOUND"));
});

Deno.test("dispatch() goes to a spoke when there is no local handler, after access and input are checked", async () => {
  const pool = remote();
  const { dispatcher } = setup({ pool });
  await assert.rejects(dispatcher.dispatch(callOf("demo.far", { n: 1 })), hasCode("ACCESS_DENIED"));
  const identity = { id: "ann", scopes: ["demo:use"] };
  await assert.rejects(dispatcher.dispatch(callOf("demo.far", { n: "x" }, { identity })), hasCode("VALIDATION_ERROR"));
  await assert.rejects(
    dispatcher.dispatch(callOf("demo.far", { n: 1 }, { identity, orgId: "other" })),
    hasCode("OPERATION_NOT_FOUND"),
  );
  assert.equal(pool.calls.length, 0);
  const call = callOf("demo.far", { n: 1 }, { identity });
  assert.equal((await dispatcher.dispatch(call)).data, "from afar");
  assert.equal(pool.calls[0], call);
});

Deno.test("list() gives local operations to every organization, a spoke's to its own", () => {
  const { dispatcher } = setup({ pool: remote() });
  const ids = (orgId: string) => dispatcher.list(orgId).map(({ namespace, name }) => `${namespace}.${name}`);
  assert(ids("acme").includes("core.echo") && ids("acme").includes("demo.far"));
  assert(ids("other").includes("core.echo") && !ids("other").includes("demo.far"));
});

Deno.test("operations.list() and spec() show only what the caller may call", () => {
  const { operations } = setup({ pool: remote() }).dispatcher;
  assert.equal(operations.spec(caller(), "demo.far"), undefined);
  assert.equal(operations.spec(caller("demo:*"), "demo.far"), remoteSpec);
  assert.equal(operations.list(caller()).some(({ name }) => name === "far"), false);
  assert.equal(operations.list(caller("demo:use")).some(({ name }) => name === "far"), true);
});

Deno.test("operations.call() rejects with TIMEOUT, and aborts the handler, when its time is over", async () => {
  const { dispatcher, clock } = setup({ localTimeoutMs: 50 });
  const call = dispatcher.operations.call({ caller: caller(), operationId: "core.sleep", input: { ms: 1000 } });
  clock.ring();
  await assert.rejects(call, hasCode("TIMEOUT"));
  assert.equal(clock.callbacks.size, 0, "an alarm was left behind");
});

Deno.test("operations.call() rejects with ABORTED when the caller gives up, before or during the call", async () => {
  const { dispatcher } = setup();
  const sleep = { caller: caller(), operationId: "core.sleep", input: { ms: 1000 } };
  await assert.rejects(dispatcher.operations.call({ ...sleep, signal: AbortSignal.abort() }), hasCode("ABORTED"));
  const controller = new AbortController();
  const call = dispatcher.operations.call({ ...sleep, signal: controller.signal });
  controller.abort();
  await assert.rejects(call, hasCode("ABORTED"));
});

Deno.test("operations.stream() gives a local subscription's values until the reader leaves", async () => {
  const { dispatcher, registry } = setup();
  let ended = false;
  registry.register({
    namespace: "demo",
    name: "ticks",
    version: "1.0.0",
    type: "subscription",
    description: "",
    inputSchema: {},
    outputSchema: {},
    accessControl: { requiredScopes: [] },
    handler: async function* () {
      try {
        for (let n = 0;; n++) yield n;
      } finally {
        ended = true;
      }
    },
  });
  const seen: unknown[] = [];
  for await (
    const { data } of dispatcher.operations.stream({ caller: caller(), operationId: "demo.ticks", input: {} })
  ) {
    seen.push(data);
    if (seen.length === 3) break;
  }
  assert.deepEqual(seen, [0, 1, 2]);
  await Promise.resolve();
  assert(ended);
});

Deno.test("operations.stream() refuses what is no subscription, and passes a spoke's through", async () => {
  const pool = remote({ ...remoteSpec, type: "subscription" });
  const { operations } = setup({ pool }).dispatcher;
  const read = async (operationId: string, input: unknown) => {
    const seen: unknown[] = [];
    for await (const { data } of operations.stream({ caller: caller("demo:use"), operationId, input })) seen.push(data);
    return seen;
  };
  assert.deepEqual(await read("demo.far", { n: 1 }), [1, 2]);
  await assert.rejects(read("core.echo", { value: 1 }), hasCode("VALIDATION_ERROR"));
  await assert.rejects(read("demo.none", {}), hasCode("OPERATION_NOT_FOUND"));
});
