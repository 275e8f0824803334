import assert from "node:assert/strict";
import { Type } from "@alkdev/typebox";
import { FakeTime } from "./_fake_time.ts";
import { buildCallHandler, CallError, localEnvelope, OperationRegistry, PendingRequestMap } from "./mod.ts";
import type {
  AnyHandler,
  CallHandlerOptions,
  CallRequestedEvent,
  OperationContext,
  OperationRegistration,
} from "./mod.ts";

/** A caller and a handler in one process, and every answer that was published. */
function setUp(handler: AnyHandler, spec: Partial<OperationRegistration> = {}, more: Partial<CallHandlerOptions> = {}) {
  const target = new EventTarget();
  const callMap = new PendingRequestMap(target);
  const registry = new OperationRegistry();
  registry.register({
    name: "b",
    namespace: "a",
    version: "1.0.0",
    type: "query",
    description: "",
    inputSchema: Type.Unknown(),
    outputSchema: Type.Unknown(),
    accessControl: { requiredScopes: [] },
    ...spec,
    handler,
  });
  const handle = buildCallHandler({ registry, callMap, ...more });
  const answers: string[] = [];
  for (const type of ["call.responded", "call.completed", "call.error"]) {
    target.addEventListener(`${type}:`, () => answers.push(type));
  }
  const handled: Promise<void>[] = [];
  target.addEventListener("call.requested:", (event) => {
    if (event instanceof CustomEvent) handled.push(handle(event.detail.payload));
  });
  return { target, callMap, handle, answers, handled };
}

function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => resolve = settle);
  return { promise, resolve };
}

const subscription = { type: "subscription" } as const;

Deno.test("buildCallHandler() answers a call once, without completing it", async () => {
  const { callMap, answers } = setUp((input) => ({ got: input }));
  assert.deepEqual((await callMap.call("a.b", 1)).data, { got: 1 });
  assert.deepEqual(answers, ["call.responded"]);
});

Deno.test("buildCallHandler() passes an envelope through", async () => {
  const envelope = localEnvelope(1, "x.y");
  assert.equal(await setUp(() => envelope).callMap.call("a.b", 1), envelope);
});

Deno.test("buildCallHandler() gives the handler the event's context, and never trust", async () => {
  let seen: OperationContext | undefined;
  const { handle } = setUp((_, context) => void (seen = context), { accessControl: { requiredScopes: ["x"] } });
  const event: CallRequestedEvent = {
    requestId: "r",
    operationId: "a.b",
    input: 1,
    parentRequestId: "p",
    identity: { id: "me", scopes: ["x"] },
    metadata: { runId: "1" },
  };
  await handle({ ...event, ...{ trusted: true } });
  assert.equal(seen?.requestId, "r");
  assert.equal(seen?.parentRequestId, "p");
  assert.deepEqual(seen?.identity, event.identity);
  assert.deepEqual(seen?.metadata, { runId: "1" });
  assert.equal(seen?.trusted, undefined);
});

Deno.test("buildCallHandler() denies access to a wire event that claims to be trusted", async () => {
  const { callMap, target } = setUp(() => 1, { accessControl: { requiredScopes: ["x"] } });
  await assert.rejects(callMap.call("a.b", 1), { code: "ACCESS_DENIED" });
  const payload = { requestId: "r", operationId: "a.b", input: 1, trusted: true };
  const errors: string[] = [];
  target.addEventListener("call.error:", (event) => {
    if (event instanceof CustomEvent) errors.push(event.detail.payload.code);
  });
  target.dispatchEvent(new CustomEvent("call.requested:", { detail: { type: "call.requested", id: "", payload } }));
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual(errors, ["ACCESS_DENIED"]);
});

Deno.test("buildCallHandler() maps what is thrown, with the operation's declared codes", async () => {
  const declared = { errorSchemas: [{ code: "QUOTA", description: "", schema: {} }] };
  const quota = setUp(() => {
    throw new Error("QUOTA: ten");
  }, declared);
  await assert.rejects(quota.callMap.call("a.b", 1), { code: "QUOTA" });
  const boom = setUp(() => Promise.reject(new Error("boom")), declared);
  await assert.rejects(boom.callMap.call("a.b", 1), { code: "EXECUTION_ERROR", message: "boom" });
  await assert.rejects(boom.callMap.call("no.such", 1), { code: "OPERATION_NOT_FOUND" });
});

Deno.test("buildCallHandler() answers VALIDATION_ERROR to a request of the wrong shape", async () => {
  const { callMap, handle } = setUp(() => 1);
  const call = callMap.call("a.b", 1, { requestId: "r" });
  await call;
  const again = new PendingRequestMap();
  const strict = buildCallHandler({ registry: new OperationRegistry(), callMap: again });
  const pending = again.call("a.b", 1, { requestId: "r" });
  // @ts-expect-error: a wire can say anything
  await strict({ requestId: "r", operationId: 5 });
  await assert.rejects(pending, { code: "VALIDATION_ERROR", message: /operationId/ });
  await handle({ requestId: "r", operationId: "a.b" });
});

Deno.test("buildCallHandler() gives each value of a subscription, then completes it", async () => {
  const { callMap, answers, handled } = setUp(async function* () {
    yield 1;
    yield localEnvelope(2, "x.y");
  }, subscription);
  const got: unknown[] = [];
  for await (const { data } of callMap.subscribe("a.b", 1)) got.push(data);
  await Promise.all(handled);
  assert.deepEqual([got, answers], [[1, 2], ["call.responded", "call.responded", "call.completed"]]);
});

Deno.test("buildCallHandler() sends the error of a subscription after its values", async () => {
  const { callMap } = setUp(async function* () {
    yield 1;
    throw new CallError("QUOTA", "ten");
  }, subscription);
  const values = callMap.subscribe("a.b", 1);
  assert.equal((await values.next()).value?.data, 1);
  await assert.rejects(values.next(), { code: "QUOTA" });
});

Deno.test("buildCallHandler() aborts the handler's signal and resolves when the caller aborts, and drops the answer", async () => {
  const started = deferred<AbortSignal | undefined>();
  const finish = deferred<number>();
  const { callMap, answers, handled } = setUp((_, context) => {
    started.resolve(context.signal);
    return finish.promise;
  });
  const call = callMap.call("a.b", 1, { requestId: "r" });
  const signal = await started.promise;
  assert.equal(signal?.aborted, false);
  callMap.abort("r");
  await assert.rejects(call, { code: "ABORTED" });
  assert.equal(signal?.aborted, true);
  assert.equal(signal?.reason.code, "ABORTED");
  await Promise.all(handled);
  finish.resolve(1);
  await finish.promise;
  await Promise.resolve();
  assert.deepEqual(answers, []);
});

Deno.test("buildCallHandler() gives an aborted signal to a handler that asks for it late", async () => {
  const begin = deferred<void>();
  const seen = deferred<boolean | undefined>();
  const { callMap } = setUp(async (_, context) => {
    await begin.promise;
    seen.resolve(context.signal?.aborted);
  });
  const call = callMap.call("a.b", 1, { requestId: "r" });
  callMap.abort("r");
  await assert.rejects(call, { code: "ABORTED" });
  begin.resolve();
  assert.equal(await seen.promise, true);
});

Deno.test("buildCallHandler() returns the generator when the consumer stops", async () => {
  const returned = deferred<string>();
  const { callMap, answers, handled } = setUp(async function* () {
    try {
      for (let n = 0;; n++) yield n;
    } finally {
      returned.resolve("returned");
    }
  }, subscription);
  for await (const { data } of callMap.subscribe("a.b", 1)) {
    if (data === 2) break;
  }
  assert.equal(await returned.promise, "returned");
  await Promise.all(handled);
  assert.equal(answers.includes("call.completed"), false);
});

Deno.test("buildCallHandler() resolves at once when the subscription aborted is waiting for something", async () => {
  const waiting = deferred<void>();
  const { callMap, handled } = setUp(async function* (_, context) {
    waiting.resolve();
    await new Promise<void>((resolve) => context.signal?.addEventListener("abort", () => resolve()));
    yield "too late";
  }, subscription);
  const next = callMap.subscribe("a.b", 1, { requestId: "r" }).next();
  await waiting.promise;
  callMap.abort("r");
  assert.deepEqual(await next, { done: true, value: undefined });
  await Promise.all(handled);
});

Deno.test("buildCallHandler() aborts the handler and says TIMEOUT past the deadline", async () => {
  using time = new FakeTime(0);
  let signal: AbortSignal | undefined;
  const { handle, answers } = setUp((_, context) => {
    signal = context.signal;
    return new Promise(() => {});
  });
  const done = handle({ requestId: "r", operationId: "a.b", deadline: 50 });
  time.advance(50);
  await done;
  assert.equal(signal?.reason.code, "TIMEOUT");
  assert.deepEqual([answers, time.pending], [["call.error"], 0]);
});

Deno.test("buildCallHandler() lets extendContext add to the context", async () => {
  const progress: unknown[] = [];
  const extendContext = (context: OperationContext) =>
    Object.assign(context, { progress: (value: unknown) => void progress.push(value) });
  const { callMap } = setUp((_, context) => context.progress?.(0.5), {}, { extendContext });
  await callMap.call("a.b", 1);
  assert.deepEqual(progress, [0.5]);
});

Deno.test("buildCallHandler() answers EXECUTION_ERROR when the answer cannot be sent", async () => {
  const { callMap, target } = setUp(() => 1n);
  const dispatch = target.dispatchEvent.bind(target);
  // As a transport that speaks JSON does.
  target.dispatchEvent = (event) => {
    if (event instanceof CustomEvent) JSON.stringify(event.detail);
    return dispatch(event);
  };
  await assert.rejects(callMap.call("a.b", 1), { code: "EXECUTION_ERROR", message: /cannot be sent: .*BigInt/ });
});
