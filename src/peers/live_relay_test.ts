import assert from "node:assert/strict";
import { VirtualClock } from "../../engine/memory/mod.ts";
import { LiveRelay } from "./live_relay.ts";
import { MemoryExchange } from "./memory_bus.ts";

function hub(exchange: MemoryExchange, clock: VirtualClock, hubId: string) {
  const watched = new Set<string>();
  const open = new Map<string, unknown[]>();
  const heard: string[] = [];
  const relay = new LiveRelay({
    bus: exchange.bus(hubId),
    clock,
    name: "thing",
    source: {
      watched: () => [...watched],
      open: (key) => open.get(key) ?? [],
      deliver: (key, event) => heard.push(`${key}:${event}`),
    },
  });
  const publish = (key: string, event: string): void => {
    open.set(key, [...open.get(key) ?? [], event]);
    relay.published(key, event);
  };
  const watch = (key: string): void => {
    watched.add(key);
    relay.watching(key);
  };
  return { relay, publish, watch, watched, heard };
}

/** Messages between hubs, and what is sent after a turn, have arrived. */
async function settled(clock: VirtualClock): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    clock.advance(0);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

Deno.test("LiveRelay tells a hub that watches what has come so far, then what comes, and nobody else anything", async () => {
  const clock = new VirtualClock();
  const exchange = new MemoryExchange();
  const [a, b, c] = [hub(exchange, clock, "a"), hub(exchange, clock, "b"), hub(exchange, clock, "c")];
  a.publish("x", "1");
  await settled(clock);
  assert.deepEqual([b.heard, c.heard], [[], []]);
  b.watch("x");
  await settled(clock);
  a.publish("x", "2");
  a.publish("y", "of another");
  await settled(clock);
  assert.deepEqual(b.heard, ["x:1", "x:2"]);
  assert.deepEqual(c.heard, []);
  for (const { relay } of [a, b, c]) relay.close();
});

Deno.test("LiveRelay forgets a hub that does not say any more that it watches, and tells it anew when it comes back", async () => {
  const clock = new VirtualClock();
  const exchange = new MemoryExchange();
  const [a, b] = [hub(exchange, clock, "a"), hub(exchange, clock, "b")];
  b.watch("x");
  await settled(clock);
  for (let i = 0; i < 5; i++) {
    clock.advance(5_000);
    await settled(clock);
  }
  a.publish("x", "1");
  await settled(clock);
  assert.deepEqual(b.heard, ["x:1"]);
  b.watched.delete("x");
  for (let i = 0; i < 5; i++) {
    clock.advance(5_000);
    await settled(clock);
  }
  a.publish("x", "2");
  await settled(clock);
  assert.deepEqual(b.heard, ["x:1"]);
  b.watch("x");
  await settled(clock);
  assert.deepEqual(b.heard, ["x:1", "x:1", "x:2"]);
  exchange.setUp(false);
  a.publish("x", "3");
  await settled(clock);
  exchange.setUp(true);
  await settled(clock);
  assert.deepEqual(
    b.heard.slice(3),
    ["x:1", "x:2", "x:3"],
    "what was lost while the bus was away is told with the rest",
  );
  for (const { relay } of [a, b]) relay.close();
});
