/**
 * What the published package promises, by the sections of its reference (2.1 to 2.9). Tests beside the code go deeper; every
 * event target runs event_target_conformance.ts.
 */
import assert from "node:assert/strict";
import { createWebSocketClientEventTarget } from "./event_target_websocket_client.ts";
import { createWebSocketServerEventTarget } from "./event_target_websocket_server.ts";
import {
  batch,
  chain,
  createPubSub,
  dedupe,
  type EnvelopeEvent,
  filter,
  flat,
  groupBy,
  join,
  map,
  pipe,
  reduce,
  Repeater,
  take,
  toArray,
  window,
} from "./mod.ts";

/** Values as a transport gives them: one after the other, each in a turn of its own. */
async function* of<T>(...values: readonly T[]): AsyncGenerator<T, void, undefined> {
  for (const value of values) {
    await Promise.resolve();
    yield value;
  }
}

Deno.test("2.1: publish() takes three arguments and dispatches the composite topic with the whole envelope", () => {
  const eventTarget = new EventTarget();
  const heard: [string, unknown][] = [];
  for (const topic of ["news:7", "news:", "news"]) {
    eventTarget.addEventListener(topic, (event) => {
      if (event instanceof CustomEvent) heard.push([event.type, event.detail]);
    });
  }
  const pubsub = createPubSub({ eventTarget });
  assert.equal(pubsub.publish("news", "7", { a: 1 }), undefined);
  pubsub.publish("news", "", 2);
  assert.deepEqual(heard, [
    ["news:7", { type: "news", id: "7", payload: { a: 1 } }],
    ["news:", { type: "news", id: "", payload: 2 }],
  ]);
  assert.throws(() => pubsub.publish("__subscribe", "", {}), /__/);
});

Deno.test("2.2: subscribe() gives a Repeater of envelopes; the default transport is this process", async () => {
  const [pubsub, stranger] = [createPubSub<{ news: number }>(), createPubSub<{ news: number }>()];
  const events = pubsub.subscribe("news", "7");
  assert.ok(events instanceof Repeater);
  const first = events.next();
  stranger.publish("news", "7", 0);
  pubsub.publish("news", "8", 1);
  pubsub.publish("news", "7", 2);
  assert.deepEqual((await first).value, { type: "news", id: "7", payload: 2 });
  await events.return();
});

Deno.test("2.2: a Repeater's stop is called, with an error or without, and is awaited", async () => {
  const stopped: string[] = [];
  const one = new Repeater<number>(async (push, stop) => {
    void push(1);
    await stop;
    stopped.push("consumer");
  });
  for await (const _ of one) break;
  const two = new Repeater<number>((push, stop) => {
    void push(1);
    stop(new Error("broken"));
  });
  assert.deepEqual(await two.next(), { done: false, value: 1 });
  await assert.rejects(two.next(), /broken/);
  const three = new Repeater<number>((push, stop) => {
    void push(1);
    stop();
  });
  assert.deepEqual(await toArray<number>()(three), [1]);
  assert.deepEqual(stopped, ["consumer"]);
});

Deno.test("2.3: the thirteen operators", async () => {
  const isOdd = (n: number) => n % 2 === 1;
  assert.deepEqual(
    await pipe(of(1, 2, 3), filter(isOdd), map((n: number) => n * 10), toArray<number>()),
    [10, 30],
  );
  assert.deepEqual(await pipe(of(1, 2, 3), take<number>(2), toArray<number>()), [1, 2]);
  assert.equal(await pipe(of(1, 2, 3), reduce((sum: number, n: number) => sum + n, 0)), 6);
  assert.deepEqual(await pipe(of(1, 2, 3), batch<number>(2), toArray<number[]>()), [[1, 2], [3]]);
  assert.deepEqual(await pipe(of(1, 2, 1, 3), dedupe<number>(), toArray<number>()), [1, 2, 3]);
  assert.deepEqual(await pipe(of(1, 2, 3), dedupe((n: number) => n % 2), toArray<number>()), [1, 2]);
  assert.deepEqual(await pipe(of(1, 2, 3), window<number>(2), toArray<number[]>()), [[1, 2], [2, 3]]);
  assert.deepEqual(await pipe(of([1, 2], [3]), flat<number>(), toArray<number>()), [1, 2, 3]);
  assert.deepEqual(await toArray<number>()(chain(of(1, 2), of(3))), [1, 2, 3]);
  assert.deepEqual((await toArray<number>()(join(of(1, 2), of(3)))).sort(), [1, 2, 3]);
  const groups: Record<string, Promise<number[]>> = {};
  for await (const [key, values] of pipe(of(1, 2, 3), groupBy((n: number) => isOdd(n) ? "odd" : "even"))) {
    groups[key] = toArray<number>()(values);
  }
  assert.deepEqual([await groups["odd"], await groups["even"]], [[1, 3], [2]]);
});

/** A socket that the test holds the other end of. */
class Socket {
  readyState = 1;
  bufferedAmount = 0;
  readonly sent: string[] = [];
  closed = false;
  readonly #listeners: [type: string, listener: (event: { readonly data: unknown }) => void][] = [];
  addEventListener(type: string, listener: (event: { readonly data: unknown }) => void): void {
    this.#listeners.push([type, listener]);
  }
  send(data: string): void {
    this.sent.push(data);
  }
  close(): void {
    this.closed = true;
  }
  /** The other end sends, or with no data closes. */
  emit(data?: object): void {
    const wanted = data === undefined ? "close" : "message";
    for (const [type, listener] of this.#listeners) if (type === wanted) listener({ data: JSON.stringify(data) });
  }
  receive(...envelopes: object[]): void {
    for (const envelope of envelopes) this.emit(envelope);
  }
}

const envelope = (type: string, id: string, payload: unknown) => ({ type, id, payload });
const event = (type: string, id: string, payload: unknown): EnvelopeEvent =>
  new CustomEvent(`${type}:${id}`, { detail: envelope(type, id, payload) });

Deno.test("2.6, 2.8: a client says __subscribe with the first listener of a topic and __unsubscribe with the last", () => {
  const socket = new Socket();
  const client = createWebSocketClientEventTarget(socket);
  const heard: unknown[] = [];
  const [one, two] = [(e: EnvelopeEvent) => heard.push(e.detail.payload), () => {}];
  client.addEventListener("news:7", one);
  client.addEventListener("news:7", two);
  client.removeEventListener("news:7", two);
  socket.receive(envelope("news", "7", 1), envelope("news", "8", 2), envelope("__subscribe", "", { topic: "news:7" }));
  client.removeEventListener("news:7", one);
  client.dispatchEvent(event("talk", "", 3));
  assert.deepEqual(heard, [1]);
  assert.deepEqual(socket.sent.map((text) => JSON.parse(text)), [
    { type: "__subscribe", id: "", payload: { topic: "news:7" } },
    { type: "__unsubscribe", id: "", payload: { topic: "news:7" } },
    { type: "talk", id: "", payload: 3 },
  ]);
});

Deno.test("2.4, 2.7: a server sends to those that subscribed to exactly the topic, and hears all", () => {
  const gone: Socket[] = [];
  const server = createWebSocketServerEventTarget<Socket>({ onDisconnection: (socket) => gone.push(socket) });
  const [a, b, c] = [new Socket(), new Socket(), new Socket()];
  for (const socket of [a, b, c]) server.addConnection(socket);
  a.receive({ type: "__subscribe", id: "", payload: { topic: "news:7" } });
  b.receive({ type: "__subscribe", id: "", payload: { topic: "direct:b" } });
  const heard: unknown[] = [];
  for (const topic of ["talk:", "__subscribe:"]) {
    server.addEventListener(topic, (e) => heard.push(e.detail.payload));
  }
  assert.equal(server.dispatchEvent(event("news", "7", 1)), true);
  assert.equal(server.dispatchEvent(event("news", "8", 2)), true);
  assert.equal(server.dispatchEvent(event("direct", "b", 3)), true);
  for (const socket of [a, b, c]) socket.receive(envelope("talk", "", "hi"));
  a.receive({ type: "__unsubscribe", id: "", payload: { topic: "news:7" } });
  server.dispatchEvent(event("news", "7", 4));
  b.emit();
  server.dispatchEvent(event("direct", "b", 5));
  const payloads = ({ sent }: Socket) => sent.map((text) => JSON.parse(text).payload);
  assert.deepEqual([payloads(a), payloads(b), payloads(c)], [[1], [3], []]);
  assert.deepEqual(heard, ["hi", "hi", "hi"]);
  assert.deepEqual(gone, [b]);
});

Deno.test("2.7: past 1 MiB that wait, or what is set, a slow reader is told of and cut off", () => {
  for (const [limit, at] of [[undefined, 1024 * 1024], [10, 10]] as const) {
    const slow: [Socket, number][] = [];
    const server = createWebSocketServerEventTarget<Socket>({
      ...(limit !== undefined && { maxBufferedAmount: limit }),
      onBackpressure: (socket, amount) => slow.push([socket, amount]),
    });
    const socket = new Socket();
    server.addConnection(socket);
    socket.receive({ type: "__subscribe", id: "", payload: { topic: "news:" } });
    socket.bufferedAmount = at;
    server.dispatchEvent(event("news", "", 1));
    socket.bufferedAmount = at + 1;
    server.dispatchEvent(event("news", "", 2));
    server.dispatchEvent(event("news", "", 3));
    assert.deepEqual([socket.sent.length, socket.closed, slow], [1, true, [[socket, at + 1]]]);
  }
});
