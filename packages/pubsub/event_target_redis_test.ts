import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { eventTargetConformance } from "./event_target_conformance.ts";
import {
  createRedisEventTarget,
  type RedisEventTargetOptions,
  type RedisSubscribeClient,
} from "./event_target_redis.ts";
import { createPubSub, toEvent } from "./mod.ts";

const url = new URL(Deno.env.get("HUB_TEST_REDIS_URL") ?? "redis://127.0.0.1:6379");
const answers = await Deno.connect({ hostname: url.hostname, port: Number(url.port || 6379) }).then(
  (connection) => {
    connection.close();
    return true;
  },
  () => false,
);
if (!answers) console.log(`Redis event target: tests on a server are skipped, as none answers at ${url.host}`);

const event = (type: string, payload: unknown = null) => toEvent({ type, id: "", payload });

/** A connection that leaves nothing behind. */
async function connect(): Promise<{ redis: Redis; end: () => Promise<void> }> {
  const redis = new Redis(url.href, { lazyConnect: true });
  await redis.connect();
  return {
    redis,
    end: async () => {
      const ended = new Promise((resolve) => redis.once("end", resolve));
      await redis.quit();
      await ended;
    },
  };
}

/** Two processes as it were: each with its connections, and one prefix that nobody else has. */
async function open() {
  const prefix = `pubsub-test:${crypto.randomUUID()}:`;
  const clients = await Promise.all([connect(), connect(), connect()]);
  const [publisher, subscriber, spare] = clients;
  const from = createRedisEventTarget({ publishClient: publisher.redis, subscribeClient: spare.redis, prefix });
  const to = createRedisEventTarget({ publishClient: publisher.redis, subscribeClient: subscriber.redis, prefix });
  const topic = "settled:";
  return {
    from,
    to,
    prefix,
    publisher: publisher.redis,
    subscriber: subscriber.redis,
    settle: async () => {
      const settled = Promise.withResolvers<void>();
      const listener = () => settled.resolve();
      to.addEventListener(topic, listener);
      // Commands of a connection are answered in order: everything it was told before is done when this is.
      await subscriber.redis.subscribe(prefix + topic);
      from.dispatchEvent(event("settled"));
      await settled.promise;
      to.removeEventListener(topic, listener);
    },
    close: async () => {
      await Promise.all([from.close(), to.close()]);
      await Promise.all(clients.map(({ end }) => end()));
    },
  };
}

const serverTest = (name: string, run: () => Promise<void>) => Deno.test({ name, ignore: !answers, fn: run });

eventTargetConformance("Redis", serverTest, open);

serverTest("createRedisEventTarget() hears what it dispatches, through createPubSub()", async () => {
  const pair = await open();
  const pubsub = createPubSub<{ news: string }>({ eventTarget: pair.to });
  const events = pubsub.subscribe("news", "1");
  const first = events.next();
  await pair.settle();
  pubsub.publish("news", "1", "x");
  assert.deepEqual((await first).value, { type: "news", id: "1", payload: "x" });
  await events.return();
  await pair.close();
});

serverTest(
  "createRedisEventTarget() subscribes once a topic, under its prefix, and unsubscribes with the last listener",
  async () => {
    const pair = await open();
    const [one, two] = [() => {}, () => {}];
    for (const listener of [one, two]) pair.to.addEventListener("a:", listener);
    await pair.settle();
    const count = async () => Number((await pair.publisher.pubsub("NUMSUB", `${pair.prefix}a:`)).at(1));
    assert.equal(await count(), 1);
    pair.to.removeEventListener("a:", one);
    await pair.settle();
    assert.equal(await count(), 1);
    pair.to.removeEventListener("a:", two);
    await pair.settle();
    assert.equal(await count(), 0);
    pair.to.addEventListener("b:", one);
    await pair.to.close();
    await pair.to.close();
    assert.deepEqual(await pair.publisher.pubsub("CHANNELS", `${pair.prefix}*`), []);
    await pair.close();
  },
);

/** A subscriber that the test plays Redis for. */
function scripted(options: Partial<RedisEventTargetOptions> = {}) {
  const receivers = new Set<(channel: string, message: string) => void>();
  const subscribeClient: RedisSubscribeClient = {
    subscribe: () => Promise.resolve(),
    unsubscribe: () => Promise.resolve(),
    on: (_event, listener) => receivers.add(listener),
    off: (_event, listener) => receivers.delete(listener),
  };
  const target = createRedisEventTarget({
    publishClient: { publish: () => Promise.resolve(1) },
    subscribeClient,
    prefix: "p:",
    ...options,
  });
  const receive = (channel: string, message: string) => receivers.forEach((receiver) => receiver(channel, message));
  return { target, receive, receivers };
}

Deno.test("createRedisEventTarget() drops what arrives after unsubscribing and on others' channels", () => {
  const invalid: string[] = [];
  const { target, receive } = scripted({ onInvalid: (channel) => invalid.push(channel) });
  const heard: unknown[] = [];
  const listener = ({ detail }: { detail: unknown }) => heard.push(detail);
  target.addEventListener("a:", listener);
  const message = JSON.stringify(event("a", 1).detail);
  receive("p:a:", message);
  receive("a:", message);
  receive("q:a:", message);
  target.removeEventListener("a:", listener);
  receive("p:a:", message);
  assert.deepEqual(heard, [{ type: "a", id: "", payload: 1 }]);
  assert.deepEqual(invalid, []);
});

Deno.test("createRedisEventTarget() reports messages that are not an envelope of their channel", () => {
  const invalid: string[] = [];
  const { target, receive } = scripted({ onInvalid: (channel, message) => invalid.push(`${channel} ${message}`) });
  for (const topic of ["a:", "__subscribe:"]) target.addEventListener(topic, () => assert.fail("heard"));
  const bad = ["nonsense", "{}", `{"type":"b","id":""}`, `[{"type":"a","id":""},{"type":"a","id":""}]`];
  for (const message of bad) receive("p:a:", message);
  receive("p:__subscribe:", `{"type":"__subscribe","id":""}`);
  assert.equal(invalid.length, bad.length + 1);
});

Deno.test("createRedisEventTarget() tells onError what Redis refuses, and goes on", async () => {
  const errors: unknown[] = [];
  const publish = () => Promise.reject(new Error("READONLY"));
  const { target } = scripted({ publishClient: { publish }, onError: (error) => errors.push(error) });
  assert.equal(target.dispatchEvent(event("a")), true);
  await target.close();
  assert.deepEqual(errors, [new Error("READONLY")]);
});

Deno.test("close() lets go of the client", async () => {
  const { target, receivers } = scripted();
  assert.equal(receivers.size, 1);
  await target.close();
  assert.equal(receivers.size, 0);
});
