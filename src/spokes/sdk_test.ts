/** The SDK against the pool, over real sockets that are cut on purpose. */
import assert from "node:assert/strict";
import { connectSpoke, type SpokeClock, type SpokeState } from "@alkdev/spoke";
import { CallError } from "@alkdev/operations";
import { callThrough, SPOKE_KEY, startTestHub, testCall } from "./_test_hub.ts";

/** Reconnects at once; everything else never happens by itself. */
const eager: SpokeClock = {
  now: () => Date.now(),
  after(ms, callback) {
    if (ms < 1_000) queueMicrotask(callback);
    return () => {};
  },
  afterTurn: (callback) => void setImmediate(callback),
};

Deno.test("connectSpoke() goes on with its calls after the socket was cut, without starting them again", async () => {
  await using hub = startTestHub();
  const started: unknown[] = [];
  const gate = Promise.withResolvers<void>();
  const running = Promise.withResolvers<void>();
  const spoke = hub.spoke({
    clock: eager,
    operations: [{
      namespace: "demo",
      name: "slow",
      handler: async (input) => {
        started.push(input);
        running.resolve();
        await gate.promise;
        return input;
      },
    }],
  });
  await spoke.ready;
  const { spokeId } = spoke;
  const call = callThrough(hub, { operationId: "demo.slow", input: 1 });
  await running.promise;
  hub.sockets[0]?.close();
  await hub.until(() => hub.sockets.length === 2 && hub.pool.list("acme")[0]?.status === "connected");
  gate.resolve();
  assert.equal((await call).data, 1);
  assert.deepEqual(started, [1]);
  assert.equal(spoke.spokeId, spokeId);
});

Deno.test("connectSpoke() answers from memory what it finished while it was away", async () => {
  await using hub = startTestHub();
  let count = 0;
  const gate = Promise.withResolvers<void>();
  const running = Promise.withResolvers<void>();
  const back = Promise.withResolvers<void>();
  const spoke = hub.spoke({
    clock: {
      ...eager,
      after: (ms, callback) => {
        if (ms < 1_000) back.promise.then(callback);
        return () => {};
      },
    },
    operations: [{
      namespace: "demo",
      name: "slow",
      handler: async () => {
        running.resolve();
        await gate.promise;
        return ++count;
      },
    }],
  });
  await spoke.ready;
  const call = callThrough(hub, { operationId: "demo.slow" });
  await running.promise;
  hub.sockets[0]?.close();
  await hub.until(() => hub.pool.list("acme")[0]?.status === "disconnected");
  gate.resolve();
  back.resolve();
  assert.equal((await call).data, 1);
  assert.equal(count, 1);
});

Deno.test("connectSpoke() drains: it finishes what it has, then closes", async () => {
  await using hub = startTestHub();
  const gate = Promise.withResolvers<void>();
  const running = Promise.withResolvers<void>();
  const states: SpokeState[] = [];
  const spoke = hub.spoke({
    onState: (state) => states.push(state),
    operations: [{
      namespace: "demo",
      name: "slow",
      handler: async () => {
        running.resolve();
        await gate.promise;
        return "done";
      },
    }],
  });
  await spoke.ready;
  const call = callThrough(hub, { operationId: "demo.slow" });
  await running.promise;
  assert.equal(hub.pool.drain("acme", spoke.spokeId ?? ""), true);
  assert.equal(hub.pool.get("acme", spoke.spokeId ?? "")?.status, "draining");
  gate.resolve();
  assert.equal((await call).data, "done");
  await spoke.closed;
  assert.equal(hub.sockets[0]?.readyState, WebSocket.CLOSED, "closed before the hub has heard of it");
  assert.deepEqual(states, ["connected", "draining", "closed"]);
  await hub.until(() => hub.pool.list("acme").length === 0);
  assert.equal(hub.pool.drain("acme", "none"), false);
});

Deno.test("connectSpoke() gives up when the hub refuses its registration for good", async () => {
  await using hub = startTestHub();
  const operations = [{ namespace: "core", name: "mine", handler: () => 1 }];
  const spoke = hub.spoke({ operations });
  await assert.rejects(spoke.ready, { code: "VALIDATION_ERROR" });
  await assert.rejects(spoke.closed, { code: "VALIDATION_ERROR" });
  assert.equal(spoke.state, "closed");
});

Deno.test("connectSpoke() tries again when the hub does not let it in", async () => {
  await using hub = startTestHub();
  const second = Promise.withResolvers<void>();
  let attempts = 0;
  const spoke = hub.spoke({
    key: "nobody",
    clock: {
      ...eager,
      after: (_ms, callback) => {
        if (++attempts === 2) second.resolve();
        else queueMicrotask(callback);
        return () => {};
      },
    },
  });
  await second.promise;
  assert.equal(spoke.state, "connecting");
  await assert.rejects(spoke.call("hub.list", {}), { code: "CONNECTION_LOST" });
});

Deno.test("connectSpoke() goes to the next hub when one cannot be reached, and to its own first when it lost it", async () => {
  await using first = startTestHub();
  await using second = startTestHub();
  const tried: string[] = [];
  class Socket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      tried.push(url);
    }
  }
  const port = (hub: { readonly url: string }) => new URL(hub.url).port;
  // Nobody listens on port 9.
  const url = ["http://127.0.0.1:9", first.url, second.url];
  const operations = [{ namespace: "demo", name: "one", handler: () => 1 }];
  const spoke = connectSpoke({
    url,
    key: SPOKE_KEY,
    name: "roaming",
    operations,
    clock: eager,
    WebSocket: Socket,
    random: () => 0,
  });
  await spoke.ready;
  const { spokeId } = spoke;
  assert.equal((await callThrough(first, { operationId: "demo.one" })).data, 1);
  first.sockets[0]?.close();
  await first.until(() => first.sockets.length === 2 && first.pool.list("acme")[0]?.status === "connected");
  assert.equal(spoke.spokeId, spokeId);
  await first[Symbol.asyncDispose]();
  await second.until(() => second.pool.list("acme")[0]?.status === "connected");
  assert.equal((await callThrough(second, { operationId: "demo.one" })).data, 1);
  const ports = tried.map((address) => new URL(address).port);
  assert.deepEqual(ports.slice(0, 3), ["9", port(first), port(first)]);
  assert.equal(ports.at(-1), port(second));
  await spoke.close();
});

Deno.test("connectSpoke() checks access and input itself: a hub's word is not enough", async () => {
  await using hub = startTestHub();
  await hub.spoke({
    operations: [{
      namespace: "demo",
      name: "guarded",
      inputSchema: { type: "object", properties: { n: { type: "number" } }, required: ["n"] },
      accessControl: { requiredScopes: ["demo:use"] },
      handler: () => "secret",
    }],
  }).ready;
  await assert.rejects(callThrough(hub, { operationId: "demo.guarded", input: { n: 1 } }), { code: "ACCESS_DENIED" });
  const identity = { id: "ann", scopes: ["demo:use"] };
  const call = (input: { readonly n: number | string }) =>
    callThrough(hub, { operationId: "demo.guarded", input, identity });
  await assert.rejects(call({ n: "x" }), { code: "VALIDATION_ERROR" });
  assert.equal((await call({ n: 1 })).data, "secret");
});

Deno.test("connectSpoke() calls the hub, and passes on progress and log lines of its handlers", async () => {
  const seen: unknown[] = [];
  const logged = Promise.withResolvers<void>();
  await using hub = startTestHub({
    calls: {
      spec: () => undefined,
      call: ({ operationId }) =>
        Promise.resolve({ data: [operationId], meta: { source: "local", operationId, timestamp: 0 } }),
      stream: () => {
        throw new Error("unused");
      },
    },
    observer: {
      progress: (_call, value) => seen.push(value),
      log: (_call, level, message) => {
        seen.push([level, message]);
        logged.resolve();
      },
    },
  });
  const spoke = hub.spoke({
    operations: [{
      namespace: "demo",
      name: "chatty",
      handler: async (_input, { progress, log }) => {
        progress?.(0.5);
        log?.("warn", "half way");
        await logged.promise;
        return "done";
      },
    }],
  });
  await spoke.ready;
  assert.deepEqual((await spoke.call("hub.list", {})).data, ["hub.list"]);
  assert.equal((await callThrough(hub, { operationId: "demo.chatty" })).data, "done");
  assert.deepEqual(seen, [0.5, ["warn", "half way"]]);
});

Deno.test("connectSpoke() answers PAYLOAD_TOO_LARGE when its answer passes the hub's limit", async () => {
  await using hub = startTestHub({ maxFrameBytes: 10_000 });
  await hub.spoke({
    operations: [{ namespace: "demo", name: "big", handler: () => "x".repeat(20_000) }],
  }).ready;
  await assert.rejects(callThrough(hub, { operationId: "demo.big" }), { code: "PAYLOAD_TOO_LARGE" });
});

Deno.test("connectSpoke() makes chunks of a stream no faster than the hub takes them, however fast its handler is", async () => {
  await using hub = startTestHub();
  const chunk = "x".repeat(64 * 1024);
  let made = 0;
  const ended = Promise.withResolvers<void>();
  await hub.spoke({
    operations: [{
      namespace: "demo",
      name: "flood",
      type: "subscription",
      handler: async function* () {
        try {
          while (made < 2_000) {
            made++;
            yield chunk;
          }
        } finally {
          ended.resolve();
        }
      },
    }],
  }).ready;
  const spec = hub.pool.spec("acme", "demo.flood");
  assert(spec);
  let taken = 0;
  let lead = 0;
  for await (const { data } of hub.pool.stream(testCall({ operationId: "demo.flood" }), spec)) {
    assert.equal(data, chunk);
    lead = Math.max(lead, made - ++taken);
    if (taken === 500) break;
  }
  // What the SDK and the sockets of both sides hold.
  assert.ok(lead < 300, `${lead} chunks were on their way`);
  await ended.promise;
  assert.ok(made < 900, `${made} chunks were made for ${taken}`);
});

Deno.test("connectSpoke() ends a stream when its socket is lost: nobody would get the rest", async () => {
  await using hub = startTestHub();
  const ended = Promise.withResolvers<unknown>();
  await hub.spoke({
    // It does not come back, and is not told by the hub.
    clock: { ...eager, after: () => () => {} },
    operations: [{
      namespace: "demo",
      name: "ticks",
      type: "subscription",
      handler: async function* (_input, { signal }) {
        yield 1;
        await new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));
        ended.resolve(signal?.reason);
      },
    }],
  }).ready;
  const spec = hub.pool.spec("acme", "demo.ticks");
  assert(spec);
  const chunks = hub.pool.stream(testCall({ operationId: "demo.ticks" }), spec)[Symbol.asyncIterator]();
  assert.equal((await chunks.next()).value?.data, 1);
  hub.sockets[0]?.close();
  assert.ok(await ended.promise instanceof CallError);
  await assert.rejects(chunks.next(), { code: "SPOKE_LOST" });
});

Deno.test("RunnerPool.stream() ends with OVERLOADED when its reader is too far behind, by number or by size", async () => {
  await using hub = startTestHub();
  const big = "x".repeat(1024 * 1024);
  await hub.spoke({
    operations: [
      ["small", 1, 20_000],
      ["big", big, 200],
    ].map(([name, value, count]) => ({
      namespace: "demo",
      name: String(name),
      type: "subscription",
      handler: async function* () {
        for (let n = 0; n < Number(count); n++) yield value;
      },
    })),
  }).ready;
  for (const [name, most] of [["small", 10_000], ["big", 70]] as const) {
    const spec = hub.pool.spec("acme", `demo.${name}`);
    assert(spec);
    const chunks = hub.pool.stream(testCall({ operationId: `demo.${name}` }), spec)[Symbol.asyncIterator]();
    // Nobody reads until the hub has given it up.
    await hub.until(() => hub.pool.stats().inFlight === 0);
    let held = 0;
    await assert.rejects(async () => {
      while (!(await chunks.next()).done) held++;
    }, { code: "OVERLOADED" });
    assert.ok(held > 50 && held <= most, `${held} chunks of "${name}" were held`);
  }
});
