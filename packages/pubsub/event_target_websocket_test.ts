import assert from "node:assert/strict";
import { eventTargetConformance } from "./event_target_conformance.ts";
import { createWebSocketClientEventTarget, type WebSocketClientEventTarget } from "./event_target_websocket_client.ts";
import { createWebSocketServerEventTarget, type WebSocketServerEventTarget } from "./event_target_websocket_server.ts";
import { toEvent, type TypedEventTarget } from "./mod.ts";

interface Fixture {
  readonly client: WebSocketClientEventTarget;
  readonly server: WebSocketServerEventTarget<WebSocket>;
  settle(): Promise<void>;
  close(): Promise<void>;
}

const closed = (socket: WebSocket) =>
  new Promise<void>((resolve) => {
    if (socket.readyState === WebSocket.CLOSED) resolve();
    else socket.addEventListener("close", () => resolve());
  });

/** Calls `send`, resolves when `to` has heard an event of the topic. */
function heard(to: TypedEventTarget, topic: string, send: () => void): Promise<void> {
  return new Promise((resolve) => {
    const listener = () => {
      to.removeEventListener(topic, listener);
      resolve();
    };
    to.addEventListener(topic, listener);
    send();
  });
}

/** Both ends over a real socket. A round trip settles: each direction keeps its order. */
function open(batch: boolean): Fixture {
  const server = createWebSocketServerEventTarget<WebSocket>();
  const accepted: WebSocket[] = [];
  const http = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    accepted.push(socket);
    server.addConnection(socket);
    return response;
  });
  const socket = new WebSocket(`ws://127.0.0.1:${http.addr.port}`);
  const client = createWebSocketClientEventTarget(socket, { batch });
  const event = (type: string) => toEvent({ type, id: "", payload: null });
  server.addEventListener("ping:", () => server.dispatchEvent(event("pong")));
  return {
    client,
    server,
    settle: () => heard(client, "pong:", () => client.dispatchEvent(event("ping"))),
    close: async () => {
      socket.close();
      await Promise.all([socket, ...accepted].map(closed));
      await http.shutdown();
    },
  };
}

for (const batch of [false, true]) {
  const how = batch ? " with batches" : "";
  eventTargetConformance(`WebSocket server to client${how}`, Deno.test, () => {
    const { client, server, settle, close } = open(batch);
    return Promise.resolve({ from: server, to: client, settle, close });
  });
  eventTargetConformance(`WebSocket client to server${how}`, Deno.test, () => {
    const { client, server, settle, close } = open(batch);
    return Promise.resolve({ from: client, to: server, settle, close });
  });
}

/** A socket that records what is sent to it. */
class FakeSocket {
  readyState = 1;
  bufferedAmount = 0;
  readonly sent: string[] = [];
  readonly closedWith: unknown[] = [];
  readonly #events = new EventTarget();

  send(data: string): void {
    if (this.readyState === 0) throw new Error("InvalidStateError");
    this.sent.push(data);
  }
  close(...how: unknown[]): void {
    this.closedWith.push(...how);
  }
  addEventListener(type: string, listener: (event: { readonly data: unknown }) => void): void {
    this.#events.addEventListener(
      type,
      (event) => listener({ data: event instanceof CustomEvent ? event.detail : null }),
    );
  }
  emit(type: string, data?: unknown): void {
    this.#events.dispatchEvent(new CustomEvent(type, { detail: data }));
  }
  subscribe(topic: string): void {
    this.emit("message", JSON.stringify({ type: "__subscribe", id: "", payload: { topic } }));
  }
}

const news = (payload: unknown) => toEvent({ type: "news", id: "1", payload });
const newsJson = (payload: unknown) => JSON.stringify({ type: "news", id: "1", payload });

Deno.test("createWebSocketClientEventTarget() subscribes with a topic's first listener and unsubscribes with its last", () => {
  const socket = new FakeSocket();
  const target = createWebSocketClientEventTarget(socket);
  const [one, two] = [() => {}, () => {}];
  target.addEventListener("a:1", one);
  target.addEventListener("a:1", two);
  target.removeEventListener("a:1", one);
  assert.deepEqual(socket.sent, ['{"type":"__subscribe","id":"","payload":{"topic":"a:1"}}']);
  target.removeEventListener("a:1", two);
  target.removeEventListener("a:1", two);
  assert.deepEqual(socket.sent.slice(1), ['{"type":"__unsubscribe","id":"","payload":{"topic":"a:1"}}']);
});

Deno.test("createWebSocketClientEventTarget() keeps what is said before the socket opens, in order", () => {
  const socket = new FakeSocket();
  socket.readyState = 0;
  const target = createWebSocketClientEventTarget(socket);
  target.addEventListener("a:", () => {});
  target.dispatchEvent(news(1));
  assert.deepEqual(socket.sent, []);
  socket.readyState = 1;
  socket.emit("open");
  assert.deepEqual(socket.sent, ['{"type":"__subscribe","id":"","payload":{"topic":"a:"}}', newsJson(1)]);
});

Deno.test("createWebSocketClientEventTarget() loses what is said after the socket has closed", () => {
  const socket = new FakeSocket();
  const target = createWebSocketClientEventTarget(socket);
  socket.readyState = 3;
  assert.equal(target.dispatchEvent(news(1)), true);
  assert.deepEqual(socket.sent, []);
});

Deno.test("createWebSocketClientEventTarget() does not hear itself, nor deliver control envelopes", () => {
  const socket = new FakeSocket();
  const target = createWebSocketClientEventTarget(socket);
  const heard: string[] = [];
  for (const topic of ["news:1", "__subscribe:"]) target.addEventListener(topic, (event) => heard.push(event.type));
  target.dispatchEvent(news(1));
  socket.subscribe("news:1");
  assert.deepEqual(heard, []);
  socket.emit("message", newsJson(1));
  assert.deepEqual(heard, ["news:1"]);
});

Deno.test("createWebSocketClientEventTarget() sends one array a turn once batch is set", async () => {
  const socket = new FakeSocket();
  const target = createWebSocketClientEventTarget(socket);
  target.dispatchEvent(news(0));
  target.batch = true;
  for (let n = 1; n <= 3; n++) target.dispatchEvent(news(n));
  await Promise.resolve();
  target.dispatchEvent(news(4));
  await Promise.resolve();
  assert.deepEqual(socket.sent, [newsJson(0), `[${newsJson(1)},${newsJson(2)},${newsJson(3)}]`, newsJson(4)]);
});

Deno.test("createWebSocketClientEventTarget() drops a batch when the socket closes before it is sent", async () => {
  const socket = new FakeSocket();
  const target = createWebSocketClientEventTarget(socket, { batch: true });
  assert.equal(target.batch, true);
  target.dispatchEvent(news(1));
  socket.readyState = 3;
  await Promise.resolve();
  assert.deepEqual(socket.sent, []);
});

Deno.test("createWebSocketClientEventTarget() splits a turn's batch at 256 envelopes", async () => {
  const socket = new FakeSocket();
  const target = createWebSocketClientEventTarget(socket, { batch: true });
  for (let n = 0; n < 300; n++) target.dispatchEvent(news(n));
  await Promise.resolve();
  assert.deepEqual(socket.sent.map((frame) => JSON.parse(frame).length), [256, 44]);
});

Deno.test("createWebSocketClientEventTarget() reports messages that are no envelopes and goes on", () => {
  const socket = new FakeSocket();
  const invalid: unknown[] = [];
  const target = createWebSocketClientEventTarget(socket, { onInvalid: (data) => void invalid.push(data) });
  const heard: unknown[] = [];
  target.addEventListener("news:1", (event) => heard.push(event.detail.payload));
  const broken = ["{", "1", "null", '{"type":1,"id":""}', `[${newsJson(1)},2]`, new ArrayBuffer(1)];
  for (const data of broken) socket.emit("message", data);
  socket.emit("message", `[${newsJson(1)},${newsJson(2)}]`);
  assert.deepEqual(invalid, broken);
  assert.deepEqual(heard, [1, 2]);
});

Deno.test("createWebSocketServerEventTarget() sends to subscribed connections only", () => {
  const server = createWebSocketServerEventTarget();
  const [subscribed, other, gone] = [new FakeSocket(), new FakeSocket(), new FakeSocket()];
  for (const socket of [subscribed, other, gone]) server.addConnection(socket);
  subscribed.subscribe("news:1");
  other.subscribe("news:2");
  gone.subscribe("news:1");
  gone.emit("message", '{"type":"__unsubscribe","id":"","payload":{"topic":"news:1"}}');
  assert.equal(server.dispatchEvent(news(1)), true);
  assert.deepEqual([subscribed.sent, other.sent, gone.sent], [[newsJson(1)], [], []]);
});

Deno.test("createWebSocketServerEventTarget() forgets a connection that closes", () => {
  const left: unknown[] = [];
  const server = createWebSocketServerEventTarget({ onDisconnection: (socket) => void left.push(socket) });
  const socket = new FakeSocket();
  const heard: unknown[] = [];
  server.addEventListener("news:1", (event) => heard.push(event.detail.payload));
  server.addConnection(socket);
  server.addConnection(socket);
  socket.subscribe("news:1");
  socket.emit("message", newsJson(1));
  socket.emit("close");
  server.removeConnection(socket);
  socket.emit("message", newsJson(2));
  server.dispatchEvent(news(3));
  assert.deepEqual([heard, socket.sent, left], [[1], [], [socket]]);
});

Deno.test("createWebSocketServerEventTarget() cuts off a connection that is more than maxBufferedAmount behind", () => {
  const reports: unknown[] = [];
  const server = createWebSocketServerEventTarget({
    maxBufferedAmount: 10,
    onBackpressure: (socket, amount) => void reports.push(socket, amount),
  });
  const [slow, fast] = [new FakeSocket(), new FakeSocket()];
  for (const socket of [slow, fast]) {
    server.addConnection(socket);
    socket.subscribe("news:1");
  }
  slow.bufferedAmount = 10;
  server.dispatchEvent(news(1));
  slow.bufferedAmount = 11;
  server.dispatchEvent(news(2));
  slow.bufferedAmount = 0;
  server.dispatchEvent(news(3));
  assert.deepEqual(slow.sent, [newsJson(1)]);
  assert.deepEqual(fast.sent, [1, 2, 3].map(newsJson));
  assert.deepEqual(reports, [slow, 11]);
  assert.equal(slow.closedWith[0], 1013);
});

Deno.test("createWebSocketServerEventTarget() lets canSubscribe keep a connection off a topic", () => {
  const server = createWebSocketServerEventTarget({ canSubscribe: (_, topic) => topic !== "news:1" });
  const socket = new FakeSocket();
  server.addConnection(socket);
  socket.subscribe("news:1");
  server.dispatchEvent(news(1));
  assert.deepEqual(socket.sent, []);
});

Deno.test("createWebSocketServerEventTarget() sends nothing to a socket that is not open", () => {
  const server = createWebSocketServerEventTarget();
  const socket = new FakeSocket();
  server.addConnection(socket);
  socket.subscribe("news:1");
  socket.readyState = 2;
  server.dispatchEvent(news(1));
  assert.deepEqual([socket.sent, socket.closedWith], [[], []]);
});

Deno.test("createWebSocketServerEventTarget() reports control envelopes without a topic", () => {
  const invalid: unknown[] = [];
  const server = createWebSocketServerEventTarget({ onInvalid: (_, data) => void invalid.push(data) });
  const socket = new FakeSocket();
  server.addConnection(socket);
  socket.emit("message", '{"type":"__subscribe","id":"","payload":{}}');
  socket.emit("message", "{");
  assert.deepEqual(invalid, [{ type: "__subscribe", id: "", payload: {} }, "{"]);
});
