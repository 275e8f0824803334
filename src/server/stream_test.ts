import assert from "node:assert/strict";
import fc from "fast-check";
import { Type } from "@alkdev/typebox";
import { CallError, type OperationSpec } from "@alkdev/operations";
import { authorized, event, type FakeWorld, fakeWorld } from "./_fakes.ts";
import { isDeeperThan } from "./json_depth.ts";
import type { OperationsPort } from "./ports.ts";
import { readWaitMs } from "./prefer.ts";
import { sseFrame } from "./sse_frame.ts";
import { sseStream } from "./sse_stream.ts";
import { whileConnected } from "./while_connected.ts";

const ECHO: OperationSpec = {
  name: "echo",
  namespace: "core",
  version: "1.0.0",
  type: "query",
  description: "",
  inputSchema: Type.Unknown(),
  outputSchema: Type.Unknown(),
  accessControl: { requiredScopes: [] },
};

const stream = (headers: Record<string, string> = {}) =>
  authorized({ headers: { accept: "text/event-stream", ...headers } });

/** Reads until `text` has come. */
async function readUntil(reader: ReadableStreamDefaultReader<Uint8Array>, text: string): Promise<string> {
  const decoder = new TextDecoder();
  let seen = "";
  while (!seen.includes(text)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`The stream ended before "${text}": ${seen}`);
    seen += decoder.decode(value, { stream: true });
  }
  return seen;
}

/** A server on a free port, for as long as `use` takes. */
async function serving(world: FakeWorld, use: (origin: string) => Promise<void>): Promise<void> {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, world.app.fetch);
  try {
    await use(`127.0.0.1:${server.addr.port}`);
  } finally {
    await server.shutdown();
  }
}

Deno.test("run events stream with their seqs as ids, and end after the terminal one", async () => {
  const world = fakeWorld();
  const response = await world.app.request("/api/runs/r1/events", stream());
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const frames = (await response.text()).split("\n\n").filter((frame) => frame.startsWith("id:"));
  assert.deepEqual(frames.map((frame) => frame.split("\n").slice(0, 2)), [
    ["id: 1", "event: run.paused"],
    ["id: 2", "event: run.completed"],
  ]);
  assert.deepEqual(JSON.parse(frames[1]?.split("\ndata: ")[1] ?? ""), event(2, "run.completed"));
  assert.deepEqual(world.watches, [{ after: 0, stopped: true }]);
});

Deno.test("run events resume after Last-Event-ID, which counts more than ?after=", async () => {
  const world = fakeWorld();
  const response = await world.app.request("/api/runs/r1/events?after=0", stream({ "last-event-id": "1" }));
  assert.match(await response.text(), /^: open\n\nid: 2\n/);
  assert.equal(world.watches[0]?.after, 1);
  const page = await (await world.app.request("/api/runs/r1/events?after=1&limit=1", authorized())).json();
  assert.deepEqual(page, { items: [event(2, "run.completed")], nextCursor: "2" });
});

Deno.test("run events answer 204 when nothing can follow, and 404 before a stream begins", async () => {
  const world = fakeWorld();
  assert.equal((await world.app.request("/api/runs/r1/events", stream({ "last-event-id": "2" }))).status, 204);
  const unknown = await world.app.request("/api/runs/RUN_NOT_FOUND/events", stream());
  assert.equal(unknown.status, 404);
  assert.equal(unknown.headers.get("content-type"), "application/problem+json");
  await unknown.body?.cancel();
});

Deno.test("run events stop their watch when the client goes, over a real socket", async () => {
  const world = fakeWorld();
  world.events = [event(1, "run.paused")];
  await serving(world, async (origin) => {
    const gone = new AbortController();
    const response = await fetch(`http://${origin}/api/runs/r1/events`, { ...stream(), signal: gone.signal });
    const reader = response.body?.getReader();
    assert.ok(reader !== undefined);
    await readUntil(reader, "id: 1\n");
    gone.abort();
    await reader.closed.catch(() => {});
  });
  // The server has shut down, so the stream's cancel has been delivered.
  assert.deepEqual(world.watches, [{ after: 0, stopped: true }]);
});

Deno.test("HEAD of an event stream leaves no watch behind", async () => {
  const world = fakeWorld();
  world.events = [event(1, "run.paused")];
  const response = await world.app.request("/api/runs/r1/events", { ...stream(), method: "HEAD" });
  assert.deepEqual([response.status, response.body], [200, null]);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  // Whether the watch had begun by then is open; the stream's heartbeat would be reported as a leak.
  assert.ok(world.watches.every(({ stopped }) => stopped));
});

Deno.test("run events end when the hub closes, though the run goes on", async () => {
  const closing = new AbortController();
  const world = fakeWorld({ closing: closing.signal });
  world.events = [event(1, "run.paused")];
  const response = await world.app.request("/api/runs/r1/events", stream());
  const reader = response.body?.getReader();
  assert.ok(reader !== undefined);
  await readUntil(reader, "id: 1\n");
  closing.abort();
  assert.equal((await reader.read()).done, true);
  assert.equal(world.watches[0]?.stopped, true);
});

Deno.test("an operation's stream gives its values, then end; its first error keeps its status", async () => {
  const { app } = fakeWorld();
  const text = await (await app.request("/api/operations/core.ticks/stream", authorized())).text();
  assert.deepEqual([...text.matchAll(/^event: (\w+)$/gm)].map(([, name]) => name), ["data", "data", "end"]);
  const input = encodeURIComponent(JSON.stringify({ code: "TEAPOT" }));
  assert.equal((await app.request(`/api/operations/core.ticks/stream?input=${input}`, authorized())).status, 418);
  assert.equal((await app.request("/api/operations/core.echo/stream", authorized())).status, 400);
  assert.equal((await app.request("/api/operations/core.ticks/stream?input={", authorized())).status, 400);
});

Deno.test("a call's signal aborts when the client goes before the answer, over a real socket", async () => {
  const begun = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  const operations: OperationsPort = {
    versions: () => [],
    list: () => [],
    spec: () => ECHO,
    call: ({ signal }) => {
      begun.resolve();
      signal.addEventListener("abort", () => aborted.resolve());
      return aborted.promise.then(() => Promise.reject(new CallError("ABORTED", "The client has gone")));
    },
    stream: () => {
      throw new Error("Not a subscription");
    },
  };
  await serving(fakeWorld({ operations }), async (origin) => {
    const gone = new AbortController();
    const call = fetch(
      `http://${origin}/api/operations/core.echo`,
      authorized({ method: "POST", signal: gone.signal }),
    );
    await begun.promise;
    gone.abort();
    await assert.rejects(call, { name: "AbortError" });
    await aborted.promise;
  });
});

Deno.test("whileConnected() leaves its signal alone once the work is done", async () => {
  const client = new AbortController();
  const request = new Request("http://localhost", { signal: client.signal });
  const signal = await whileConnected(request, (signal) => Promise.resolve(signal));
  client.abort();
  assert.equal(signal.aborted, false);
});

Deno.test("sseStream() pulls no faster than the client reads", async () => {
  let pulled = 0;
  async function* endless(): AsyncGenerator<number> {
    while (true) yield ++pulled;
  }
  const body = sseStream({
    items: endless(),
    frame: (n) => sseFrame({ data: String(n) }),
    onError: () => null,
    end: null,
    stop: () => {},
    heartbeatMs: 1_000_000,
    closing: undefined,
  });
  const reader = body.getReader();
  await readUntil(reader, "data: 3\n");
  assert.ok(pulled <= 5, `pulled ${pulled}`);
  await reader.cancel();
});

Deno.test("sseStream() sends a heartbeat while nothing happens, and the error that ends it", async () => {
  let fail: (error: Error) => void = () => {};
  const waiting = new Promise<IteratorResult<number>>((_, reject) => fail = reject);
  const body = sseStream<number>({
    items: { next: () => waiting },
    frame: String,
    onError: (error) => sseFrame({ event: "error", data: String(error) }),
    end: null,
    stop: () => {},
    heartbeatMs: 1,
    closing: undefined,
  });
  const reader = body.getReader();
  await readUntil(reader, ": heartbeat\n\n");
  fail(new Error("lost"));
  await readUntil(reader, "event: error\ndata: Error: lost\n\n");
});

Deno.test("sseFrame() keeps every line of its data within one event", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (data, id) => {
    const frame = sseFrame({ id, event: "e", data });
    assert.equal(frame.indexOf("\n\n"), frame.length - 2);
    const lines = frame.slice(0, -2).split("\n");
    assert.ok(lines[0]?.startsWith("id: ") && lines[1] === "event: e");
    const read = lines.slice(2).map((line) => line.replace(/^data: /, "")).join("\n");
    return read === data.replace(/\r\n|\r/g, "\n");
  }));
});

Deno.test("isDeeperThan() agrees with the parsed value", () => {
  const depthOf = (value: unknown): number =>
    typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
  fc.assert(fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 8 }), (value, limit) => {
    return isDeeperThan(JSON.stringify(value), limit) === (depthOf(value) > limit);
  }));
  assert.equal(isDeeperThan(`"${"[".repeat(100)}"`, 1), false);
  assert.equal(isDeeperThan(`["\\\\",[["\\"[["]]]`, 2), true);
});

Deno.test("readWaitMs() reads wait among other preferences, and caps it", () => {
  const read = (prefer: string) => readWaitMs(new Headers({ prefer }), 60);
  assert.equal(read("wait=5"), 5000);
  assert.equal(read("respond-async, WAIT = 10"), 10_000);
  assert.equal(read("wait=99999"), 60_000);
  for (const other of ["wait=x", "await=5", "wait=-1", ""]) assert.equal(read(other), 0, other);
});

Deno.test("/ws authenticates before it upgrades, and hands the socket over with its principal", async () => {
  const world = fakeWorld();
  const upgrade = { upgrade: "websocket", connection: "Upgrade" };
  assert.equal((await world.app.request("/ws", authorized())).status, 426);
  assert.equal((await world.app.request("/ws", { headers: upgrade })).status, 401);
  const wrong = { ...upgrade, "sec-websocket-protocol": "alkdev.v1, bearer.wrong" };
  assert.equal((await world.app.request("/ws", { headers: wrong })).status, 401);
  assert.equal((await world.app.request("/ws", { headers: { ...upgrade, "x-api-key": "none" } })).status, 403);
  assert.equal(world.sockets.length, 0);
  await serving(world, async (origin) => {
    const socket = new WebSocket(`ws://${origin}/ws`, ["alkdev.v1", "bearer.all"]);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error("The socket did not open"));
    });
    assert.equal(socket.protocol, "alkdev.v1");
    assert.equal(world.sockets[0]?.principal.identity.id, "ada");
    const closed = new Promise((resolve) => socket.onclose = resolve);
    world.sockets[0]?.socket.close(1000);
    await closed;
  });
});
