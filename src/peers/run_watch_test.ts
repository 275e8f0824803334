import assert from "node:assert/strict";
import type { RunEvent } from "../../engine/mod.ts";
import { RunFeed } from "../runs/mod.ts";
import { settle, TestClock } from "./_test_hubs.ts";
import { MemoryExchange } from "./memory_bus.ts";
import { RunWatch } from "./run_watch.ts";

function setup() {
  const exchange = new MemoryExchange();
  const clock = new TestClock();
  const hub = (hubId: string, live: ReadonlyMap<string, number>) => {
    const feed = new RunFeed();
    const bus = exchange.bus(hubId);
    const sent: unknown[] = [];
    const watch = new RunWatch({ bus, feed, clock, liveSeq: (runId) => live.get(runId) ?? null });
    bus.subscribe("moved", (message) => sent.push(message));
    return { feed, watch, bus, moved: sent };
  };
  return { exchange, clock, hub };
}

const event = (runId: string, seq: number, type: string = "call.responded") => ({ runId, seq, type }) as RunEvent;

Deno.test("RunWatch tells the hub that watches a run what has been committed, and nobody else", async () => {
  const { hub } = setup();
  const a = hub("a", new Map([["r", 4], ["s", 1]]));
  const b = hub("b", new Map());
  const c = hub("c", new Map());
  const looks: number[] = [];
  const leave = b.feed.subscribe("r", { events: () => assert.fail("only ids"), look: (seq) => looks.push(seq) });
  await settle();
  assert.deepEqual(looks, [4], "what was there before is looked at once");
  a.watch.committed([event("r", 5), event("s", 2), event("r", 6)]);
  a.watch.committed([event("s", 3)]);
  await settle();
  assert.deepEqual([looks, b.moved, c.moved], [[4, 6], [[["r", 4]], [["r", 6]]], []]);
  a.watch.committed([event("r", 7, "run.completed")]);
  a.watch.committed([event("r", 8)]);
  await settle();
  assert.deepEqual(looks, [4, 6, 7]);
  leave();
  for (const { watch } of [a, b, c]) watch.close();
});

Deno.test("RunWatch forgets watchers that do not say again that they watch, and tells a new owner who does", async () => {
  const { hub, clock } = setup();
  const a = hub("a", new Map([["r", 1]]));
  const b = hub("b", new Map());
  const c = hub("c", new Map());
  const leave = b.feed.subscribe("r", { events: () => {}, look: () => {} });
  await settle();
  await clock.advance(20_000);
  c.watch.committed([event("r", 9)]);
  await settle();
  assert.deepEqual(b.moved.at(-1), [["r", 9]]);
  leave();
  await clock.advance(30_000);
  const before = b.moved.length;
  a.watch.committed([event("r", 10)]);
  await settle();
  assert.equal(b.moved.length, before);
  for (const { watch } of [a, b, c]) watch.close();
});
