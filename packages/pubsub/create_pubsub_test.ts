import assert from "node:assert/strict";
import { createPubSub, RepeaterOverflowError, toTopic } from "./mod.ts";

interface Events {
  readonly news: { readonly text: string };
  readonly tick: number;
}

Deno.test("createPubSub() gives subscribers the envelopes of exactly their type and id", async () => {
  const pubsub = createPubSub<Events>();
  const events = pubsub.subscribe("tick", "1");
  const first = events.next();
  pubsub.publish("tick", "2", 0);
  pubsub.publish("news", "1", { text: "x" });
  pubsub.publish("tick", "", 1);
  pubsub.publish("tick", "1", 2);
  assert.deepEqual((await first).value, { type: "tick", id: "1", payload: 2 });
  await events.return();
});

Deno.test("createPubSub() gives every subscriber every event", async () => {
  const pubsub = createPubSub<Events>();
  const nexts = [pubsub.subscribe("tick", ""), pubsub.subscribe("tick", "")].map((events) => events.next());
  pubsub.publish("tick", "", 1);
  assert.deepEqual((await Promise.all(nexts)).map(({ value }) => value?.payload), [1, 1]);
});

Deno.test("createPubSub() dispatches the composite topic and the whole envelope on its event target", () => {
  const eventTarget = new EventTarget();
  const heard: unknown[] = [];
  eventTarget.addEventListener(
    "news:",
    (event) => event instanceof CustomEvent && heard.push(event.type, event.detail),
  );
  createPubSub<Events>({ eventTarget }).publish("news", "", { text: "x" });
  assert.deepEqual(heard, ["news:", { type: "news", id: "", payload: { text: "x" } }]);
  assert.equal(toTopic("news", ""), "news:");
});

Deno.test("createPubSub() listens from the first next() until the consumer stops", async () => {
  const log: string[] = [];
  const pubsub = createPubSub<Events>({
    eventTarget: {
      addEventListener: (topic) => void log.push(`add ${topic}`),
      removeEventListener: (topic) => void log.push(`remove ${topic}`),
      dispatchEvent: () => true,
    },
  });
  const events = pubsub.subscribe("tick", "1");
  assert.deepEqual(log, []);
  const first = events.next();
  assert.deepEqual(log, ["add tick:1"]);
  await events.return();
  await first;
  assert.deepEqual(log, ["add tick:1", "remove tick:1"]);
});

Deno.test("createPubSub() keeps events for a subscriber that is behind, up to maxBuffered", async () => {
  const pubsub = createPubSub<Events>({ maxBuffered: 2 });
  const events = pubsub.subscribe("tick", "");
  const first = events.next();
  for (let n = 0; n < 4; n++) pubsub.publish("tick", "", n);
  assert.equal((await first).value?.payload, 0);
  assert.equal((await events.next()).value?.payload, 1);
  assert.equal((await events.next()).value?.payload, 2);
  await assert.rejects(events.next(), RepeaterOverflowError);
});

Deno.test("publish() throws for types that begin with __", () => {
  const pubsub = createPubSub();
  assert.throws(() => pubsub.publish("__subscribe", "", {}), /"__subscribe".*reserved/);
  pubsub.publish("_one", "", {});
});
