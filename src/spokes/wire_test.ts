/** What a peer without our SDK sees: registration, refusals, garbage. */
import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import { callThrough, dataOf, payloadOf, type RawClient, startTestHub, testCall } from "./_test_hub.ts";

const ECHO = { namespace: "demo", name: "echo", inputSchema: {}, outputSchema: {} };

const register = (client: RawClient, more: Record<string, unknown> = {}) =>
  client.ask("hub.register", { name: "raw", spokeType: "compute", operations: [ECHO], ...more });

const isRequest = (message: Record<string, unknown>) => message["type"] === "call.requested";

function assertError(message: Record<string, unknown>, code: string, pattern?: RegExp): void {
  assert.equal(message["type"], "call.error", JSON.stringify(message));
  assert.equal(payloadOf(message)["code"], code, JSON.stringify(message));
  if (pattern !== undefined) assert.match(String(payloadOf(message)["message"]), pattern);
}

Deno.test("hub.register answers with what the spoke needs", async () => {
  await using hub = startTestHub({ heartbeatMs: 700 });
  const client = await hub.raw();
  const answer = dataOf(
    await register(client, { labels: { gpu: "a100" }, maxConcurrency: 3, hostInfo: { os: "linux" } }),
  );
  assert.equal(answer["hubId"], "hub-1");
  assert.equal(answer["heartbeatMs"], 700);
  assert.equal(answer["batch"], false);
  assert.equal(typeof answer["resume"], "string");
  const [view] = hub.pool.list("acme");
  assert.equal(view?.id, answer["spokeId"]);
  assert.deepEqual(view?.labels, { gpu: "a100" });
  assert.deepEqual(view?.operations, ["demo.echo"]);
  assert.equal(view?.status, "connected");
});

Deno.test("hub.register is refused when the key may not connect, or the registration is not valid", async () => {
  await using hub = startTestHub();
  assertError(await register(await hub.raw("acme_bob_run~read")), "ACCESS_DENIED", /spoke:connect/);
  const client = await hub.raw();
  for (const namespace of ["core", "hub", "coord", "task", "session", "inference", "workflow"]) {
    assertError(await register(client, { operations: [{ ...ECHO, namespace }] }), "VALIDATION_ERROR", /reserved/);
  }
  const bad: readonly [Record<string, unknown>, RegExp][] = [
    [
      { operations: [{ ...ECHO, inputSchema: { type: "object", properties: { a: { type: "text" } } } }] },
      /demo\.echo.*a/,
    ],
    [{ operations: [{ ...ECHO, type: "procedure" }] }, /"type" of operation "demo.echo"/],
    [{ operations: [{ ...ECHO, version: "latest" }] }, /"version"/],
    [{ operations: [ECHO, ECHO] }, /twice/],
    [{ operations: [{ namespace: "demo" }] }, /"name"/],
    [{ operations: {} }, /"operations"/],
    [{ maxConcurrency: 0 }, /"maxConcurrency"/],
    [{ labels: { a: 1 } }, /"a"/],
    [{ name: "" }, /"name"/],
  ];
  for (const [more, pattern] of bad) assertError(await register(client, more), "VALIDATION_ERROR", pattern);
  assert.deepEqual(hub.pool.specs("acme"), []);
});

Deno.test("hub.register is refused when another spoke has another schema under the same version", async () => {
  await using hub = startTestHub();
  await register(await hub.raw());
  const other = await hub.raw();
  const changed = { ...ECHO, inputSchema: { type: "string" } };
  const answer = await register(other, { operations: [changed] });
  assertError(answer, "OPERATION_CONFLICT", /demo\.echo.*inputSchema.*"\/type" in it is "string" here, nothing there/);
  assert.equal(dataOf(await register(other, { operations: [{ ...changed, version: "1.1.0" }] }))["resumed"], false);
  assert.equal(hub.pool.spec("acme", "demo.echo")?.version, "1.1.0");
  const elsewhere = await hub.raw("other_eve_spoke~connect");
  assert.equal(typeof dataOf(await register(elsewhere, { operations: [changed] }))["spokeId"], "string");
});

Deno.test("a spoke is sent call.requested with deadline, identity and metadata, and answers once", async () => {
  await using hub = startTestHub();
  const client = await hub.raw();
  await register(client);
  const deadline = hub.clock.now() + 5_000;
  const call = callThrough(hub, { requestId: "r-1", operationId: "demo.echo", input: { a: 1 }, deadline });
  assert.deepEqual(await client.next(isRequest), {
    type: "call.requested",
    id: "",
    payload: {
      requestId: "r-1",
      operationId: "demo.echo",
      input: { a: 1 },
      parentRequestId: "run-1",
      deadline,
      identity: { id: "ann", scopes: [] },
      metadata: { runId: "run-1", nodeKey: "a", attempt: 1 },
    },
  });
  const output = { data: 5, meta: { source: "local", operationId: "demo.echo", timestamp: 1 } };
  client.event("call.responded", { requestId: "r-1", output });
  assert.deepEqual(await call, output);
  client.event("call.responded", { requestId: "r-1", output });
  assertError(await client.next(), "BAD_FRAME", /was not sent to this spoke/);
});

Deno.test("an answer that comes after the abort or the deadline is dropped, and no mistake", async () => {
  await using hub = startTestHub();
  const client = await hub.raw();
  await register(client);
  const controller = new AbortController();
  const aborted = callThrough(hub, { requestId: "r-1", operationId: "demo.echo", signal: controller.signal });
  const late = callThrough(hub, { requestId: "r-2", operationId: "demo.echo", deadline: hub.clock.now() + 10 });
  await client.next(isRequest);
  controller.abort();
  await assert.rejects(aborted, { code: "ABORTED" });
  hub.clock.advance(10);
  await assert.rejects(late, { code: "TIMEOUT" });
  const ended = new Set([payloadOf(await client.next((it) => it["type"] === "call.aborted"))["requestId"]]);
  ended.add(payloadOf(await client.next((it) => it["type"] === "call.aborted"))["requestId"]);
  assert.deepEqual(ended, new Set(["r-1", "r-2"]));
  const output = { data: 5, meta: { source: "local", operationId: "demo.echo", timestamp: 1 } };
  client.event("call.responded", { requestId: "r-1", output });
  client.event("call.error", { requestId: "r-2", code: "X", message: "x" });
  // The next answer is that of the heartbeat: nothing was said about the late ones.
  client.event("call.requested", { requestId: "h", operationId: "hub.heartbeat", input: { load: 0.5 } });
  assert.equal(payloadOf(await client.next())["requestId"], "h");
  assert.equal(hub.pool.list("acme")[0]?.load, 0.5);
});

Deno.test("messages without sense are answered, change nothing, and the tenth closes the socket with 1008", async () => {
  await using hub = startTestHub({ maxFrameBytes: 2_000 });
  const client = await hub.raw();
  await register(client);
  const garbage: readonly unknown[] = [
    "{ not json",
    "42",
    { type: "call.requested" },
    { type: "hello", id: "", payload: {} },
    { type: 5, id: "", payload: {} },
    [{ type: "call.aborted", id: "", payload: { requestId: "x" } }],
    { type: "call.responded", id: "", payload: { requestId: "never-sent", output: {} } },
    { type: "call.requested", id: "", payload: { requestId: "q", operationId: "" } },
    JSON.stringify({ type: "call.requested", id: "", payload: { requestId: "big", text: "x".repeat(3_000) } }),
  ];
  for (const message of garbage) client.send(message);
  const answers = [];
  for (let index = 0; index < garbage.length; index++) answers.push(await client.next());
  assert.deepEqual(answers.map(({ type }) => type).filter((type) => type === "call.error").length, 2);
  assert(answers.every(({ type }) => type === "call.error" || type === "error"));
  // Nothing else has changed: the spoke still works.
  const call = callThrough(hub, { requestId: "r-1", operationId: "demo.echo" });
  await client.next(isRequest);
  const output = { data: 1, meta: { source: "local", operationId: "demo.echo", timestamp: 1 } };
  client.event("call.responded", { requestId: "r-1", output });
  assert.equal((await call).data, 1);
  client.socket.send(new Uint8Array([1, 2, 3]));
  assert.equal((await client.closed).code, 1008);
  assert.equal(hub.pool.stats().sockets, 0);
});

Deno.test("an output that is no envelope fails its call and counts as a bad message", async () => {
  await using hub = startTestHub();
  const client = await hub.raw();
  await register(client);
  const call = callThrough(hub, { requestId: "r-1", operationId: "demo.echo" });
  await client.next(isRequest);
  client.event("call.responded", { requestId: "r-1", output: 5 });
  await assert.rejects(call, { code: "EXECUTION_ERROR" });
  assertError(await client.next((it) => it["type"] === "call.error"), "BAD_FRAME", /envelope/);
});

Deno.test("a call whose request passes the frame limit fails with PAYLOAD_TOO_LARGE", async () => {
  await using hub = startTestHub({ maxFrameBytes: 2_000 });
  const client = await hub.raw();
  await register(client);
  const call = callThrough(hub, { operationId: "demo.echo", input: { text: "é".repeat(1_000) } });
  await assert.rejects(call, { code: "PAYLOAD_TOO_LARGE" });
  assert.equal(hub.pool.stats().inFlight, 0);
});

Deno.test("messages come in arrays once both sides have said batch", async () => {
  await using hub = startTestHub();
  const client = await hub.raw();
  assert.equal(dataOf(await register(client, { batch: true }))["batch"], true);
  const raw: string[] = [];
  client.socket.addEventListener("message", ({ data }) => raw.push(data));
  const calls = [1, 2, 3].map((n) => callThrough(hub, { requestId: `r-${n}`, operationId: "demo.echo" }));
  for (let n = 0; n < 3; n++) await client.next(isRequest);
  assert.equal(raw.length, 1);
  const output = { data: 1, meta: { source: "local", operationId: "demo.echo", timestamp: 1 } };
  client.send([1, 2, 3].map((n) => ({ type: "call.responded", id: "", payload: { requestId: `r-${n}`, output } })));
  assert.equal((await Promise.all(calls)).length, 3);
});

Deno.test("hub.progress and hub.log reach the observer while the call is under way, and nobody after", async () => {
  const seen: unknown[] = [];
  await using hub = startTestHub({
    observer: {
      progress: ({ requestId }, value) => seen.push([requestId, value]),
      log: ({ requestId }, level, message, data) => seen.push([requestId, level, message, data]),
    },
  });
  const client = await hub.raw();
  assertError(await client.ask("hub.progress", { requestId: "r-1" }), "NOT_REGISTERED");
  await register(client);
  const call = callThrough(hub, { requestId: "r-1", operationId: "demo.echo" });
  await client.next(isRequest);
  assert.deepEqual(dataOf(await client.ask("hub.progress", { requestId: "r-1", value: 0.5 })), { known: true });
  assert.deepEqual(
    dataOf(await client.ask("hub.log", { requestId: "r-1", level: "warn", message: "hot", data: { c: 90 } })),
    { known: true },
  );
  client.event("call.error", { requestId: "r-1", code: "NO", message: "no", details: { a: 1 } });
  await assert.rejects(call, (error) => {
    assert(error instanceof CallError);
    assert.deepEqual([error.code, error.message, error.details], ["NO", "no", { a: 1 }]);
    return true;
  });
  assert.deepEqual(dataOf(await client.ask("hub.progress", { requestId: "r-1", value: 1 })), { known: false });
  assert.deepEqual(seen, [["r-1", 0.5], ["r-1", "warn", "hot", { c: 90 }]]);
});

Deno.test("a plain client calls the hub and reads run events, as far as its scopes go", async () => {
  const watched: unknown[] = [];
  await using hub = startTestHub({
    calls: {
      spec: () => undefined,
      call: ({ caller, operationId, input }) =>
        Promise.resolve({
          data: { who: caller.identity.id, org: caller.orgId, operationId, input },
          meta: { source: "local", operationId, timestamp: 0 },
        }),
      stream: () => {
        throw new Error("unused");
      },
    },
    runEvents: {
      async *watch({ runId, after, caller }) {
        watched.push([runId, after, caller.orgId]);
        yield { seq: 1 };
        yield { seq: 2 };
      },
    },
  });
  const client = await hub.raw("acme_cleo_operation~call+run~read");
  assert.deepEqual(dataOf(await client.ask("hub.list", { namespace: "x" })), {
    who: "cleo",
    org: "acme",
    operationId: "hub.list",
    input: { namespace: "x" },
  });
  client.event("call.requested", { requestId: "w", operationId: "hub.runEvents", input: { runId: "r", after: 0 } });
  assert.equal(dataOf(await client.next())["seq"], 1);
  assert.equal(dataOf(await client.next())["seq"], 2);
  assert.equal((await client.next())["type"], "call.completed");
  assert.deepEqual(watched, [["r", 0, "acme"]]);
  assertError(await client.ask("hub.runEvents", { after: 1 }), "VALIDATION_ERROR");
  const weak = await hub.raw("acme_dan_none");
  assertError(await weak.ask("hub.runEvents", { runId: "r" }), "ACCESS_DENIED");
  assertError(await weak.ask("core.echo", {}), "ACCESS_DENIED");
  weak.event("call.responded", { requestId: "x", output: {} });
  assertError(await weak.next(), "BAD_FRAME");
});

Deno.test("an answer or an error of the hub that passes the frame limit ends its call, and nothing else", async () => {
  await using hub = startTestHub({
    maxFrameBytes: 2_000,
    calls: {
      spec: () => undefined,
      call: ({ operationId }) => {
        const data = "x".repeat(3_000);
        if (operationId === "hub.fails") return Promise.reject(new CallError("BIG", data, { data }));
        if (operationId === "hub.odd") return Promise.reject(new CallError("ODD", "no JSON", { n: 1n }));
        return Promise.resolve({ data, meta: { source: "local", operationId, timestamp: 0 } });
      },
      stream: () => {
        throw new Error("unused");
      },
    },
  });
  const client = await hub.raw();
  assertError(await client.ask("hub.answers", {}), "PAYLOAD_TOO_LARGE");
  assertError(await client.ask("hub.fails", {}), "BIG", /^x{200}$/);
  assertError(await client.ask("hub.odd", {}), "ODD");
});

Deno.test("aborting a subscription, or leaving, ends it at the hub", async () => {
  const ended = new Map(["a", "b"].map((runId) => [runId, Promise.withResolvers<void>()]));
  await using hub = startTestHub({
    runEvents: {
      async *watch({ runId, signal }) {
        yield { seq: 1 };
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        ended.get(runId)?.resolve();
      },
    },
  });
  const client = await hub.raw("acme_cleo_run~read");
  for (const runId of ended.keys()) {
    client.event("call.requested", { requestId: runId, operationId: "hub.runEvents", input: { runId } });
    await client.next();
  }
  client.event("call.aborted", { requestId: "a" });
  await ended.get("a")?.promise;
  client.socket.close();
  await ended.get("b")?.promise;
});

Deno.test("RunnerPool.stream() tells the spoke when its reader leaves", async () => {
  await using hub = startTestHub();
  const client = await hub.raw();
  await register(client, { operations: [{ ...ECHO, type: "subscription" }] });
  const spec = hub.pool.spec("acme", "demo.echo");
  assert(spec);
  const chunks = hub.pool.stream(testCall({ requestId: "s-1", operationId: "demo.echo" }), spec);
  await client.next(isRequest);
  const output = { data: 1, meta: { source: "local", operationId: "demo.echo", timestamp: 1 } };
  client.event("call.responded", { requestId: "s-1", output });
  for await (const chunk of chunks) {
    assert.equal(chunk.data, 1);
    break;
  }
  assert.equal(payloadOf(await client.next((it) => it["type"] === "call.aborted"))["requestId"], "s-1");
});
