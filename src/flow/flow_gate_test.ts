import assert from "node:assert/strict";
import fc from "fast-check";
import { type DispatchedCall, isTerminalType } from "../../engine/mod.ts";
import { MemoryStore, VirtualClock } from "../../engine/memory/mod.ts";
import { deferred, op, par, seq, TestEngine, type Tree } from "../../engine/testing/test_engine.ts";
import { HubGate } from "./flow_gate.ts";
import { KnownRules } from "./flow_rules.ts";
import { MemoryFlowStore } from "./memory_flow_store.ts";
import type { FlowStore } from "./ports.ts";
import { TicketDesk } from "./ticket_desk.ts";

const ORG = "default";

/** Hubs over one log and one store of tickets; each has an engine with a gate. */
class World {
  readonly clock: VirtualClock = new VirtualClock();
  readonly store: MemoryStore = new MemoryStore();
  readonly flow: MemoryFlowStore = new MemoryFlowStore({
    now: () => this.clock.now(),
    stateOf: (runId) => {
      const last = this.store.runs.get(runId)?.events.at(-1);
      return last === undefined ? "unknown" : isTerminalType(last.type) ? "over" : "live";
    },
    isHub: ({ hubId, epoch }) => this.store.hubs.get(hubId)?.epoch === epoch,
  });
  readonly open: { readonly call: DispatchedCall; readonly by: TestEngine; readonly end: () => void }[] = [];
  readonly rules: KnownRules[] = [];
  /** Most calls with one concurrency key, and of one workflow's runs, that were seen at work at once. */
  most = 0;

  boot(hubId: string, store: FlowStore = this.flow): TestEngine {
    const rules = new KnownRules(store);
    this.rules.push(rules);
    const engine: TestEngine = new TestEngine({
      store: this.store,
      clock: this.clock,
      hubId,
      gate: ({ lease, clock }) => {
        const hub = { hubId, epoch: lease.epoch };
        const desk = new TicketDesk({ store, hub, clock });
        return new HubGate({ desk, rules, store, hub, clock });
      },
    });
    engine.handlers.set("t.step", (call) => {
      const { promise, resolve } = deferred();
      const entry = {
        call,
        by: engine,
        end: () => {
          const at = this.open.indexOf(entry);
          if (at >= 0) this.open.splice(at, 1);
          resolve(null);
        },
      };
      this.open.push(entry);
      this.most = Math.max(this.most, new Set(this.open.map((one) => one.call.requestId)).size);
      return promise;
    });
    return engine;
  }

  /** kill -9: what it had under way is gone. */
  async crash(dead: TestEngine, hubId: string): Promise<TestEngine> {
    for (const one of this.open.filter(({ by }) => by === dead)) this.open.splice(this.open.indexOf(one), 1);
    const next = this.boot(hubId);
    for (const runId of await next.lease.claim(100)) await next.engine.adopt(runId);
    await next.settle();
    return next;
  }

  /** Lets everything happen, and polls. */
  async pass(engine: TestEngine, ms = 250): Promise<void> {
    await engine.settle(6);
    await engine.lease.renew();
    this.clock.advance(ms);
    await engine.settle(6);
  }
}

function keyed(...keys: readonly string[]): Tree {
  return par(keys.map((key) => op(key, { concurrencyKey: "k" })));
}

Deno.test("a call waits at the gate without a slot, and its time-out begins when it is let in", async () => {
  const world = new World();
  const hub = world.boot("a");
  const runId = await hub.start(par([
    op("a", { concurrencyKey: "k", timeout: 1_000 }),
    op("b", { concurrencyKey: "k", timeout: 1_000 }),
  ]));
  await hub.settle(8);
  assert.deepEqual(hub.calls.map(({ nodeKey }) => nodeKey), ["a"]);
  assert.equal(hub.engine.stats().inFlight, 1);
  world.clock.advance(900);
  world.open[0]!.end();
  await world.pass(hub, 600);
  assert.deepEqual(hub.calls.map(({ nodeKey }) => nodeKey), ["a", "b"]);
  assert.ok(hub.calls[1]!.deadline! >= world.clock.now(), "it has its whole second");
  world.open[0]!.end();
  assert.equal((await hub.end(runId)).type, "run.completed");
  await hub.settle(8);
  assert.deepEqual(await world.flow.keys({ orgId: ORG }), []);
});

Deno.test("an aborted run leaves its lines at once, and one that is paused is not let in", async () => {
  const world = new World();
  const hub = world.boot("a");
  const [first, second, third] = [
    await hub.start(keyed("a")),
    await hub.start(keyed("b")),
    await hub.start(keyed("c")),
  ];
  await hub.settle(8);
  await hub.engine.abort(second, { reason: "no", by: "me" });
  await hub.engine.setPaused(third, true, "me");
  world.open[0]!.end();
  await world.pass(hub);
  assert.equal((await hub.end(first)).type, "run.completed");
  assert.deepEqual(hub.calls.map(({ nodeKey }) => nodeKey), ["a"]);
  await hub.engine.setPaused(third, false, "me");
  await world.pass(hub);
  assert.deepEqual(hub.calls.map(({ nodeKey }) => nodeKey), ["a", "c"]);
  assert.equal(world.most, 1);
});

Deno.test("a queued run starts by rank, and can be paused, resumed and aborted before it has", async () => {
  const world = new World();
  const hub = world.boot("a");
  const gate = { startAfter: null, lines: [{ key: "w", concurrency: 1 }] };
  const start = (key: string, priority = 0) => hub.start(seq(op(key)), {}, { gate, priority });
  const ids = [await start("a"), await start("b"), await start("c", 5), await start("d"), await start("e")];
  await world.pass(hub);
  const statuses = () => ids.map((id) => hub.engine.live(id)?.state.status ?? "ended");
  assert.deepEqual(statuses(), ["running", "queued", "queued", "queued", "queued"]);
  await hub.engine.setPaused(ids[1]!, true, "me");
  await hub.engine.setPaused(ids[4]!, true, "me");
  await hub.engine.setPaused(ids[4]!, false, "me");
  await hub.engine.abort(ids[3]!, { reason: "no", by: "me" });
  assert.deepEqual(statuses(), ["running", "paused", "queued", "ended", "queued"]);
  const order: string[] = [];
  for (let i = 0; i < 4 && world.open.length > 0; i++) {
    order.push(world.open[0]!.call.nodeKey);
    world.open[0]!.end();
    await world.pass(hub);
  }
  assert.deepEqual(order, ["a", "c", "e"], "b is paused, d is gone");
  await hub.engine.setPaused(ids[1]!, false, "me");
  await world.pass(hub);
  world.open[0]!.end();
  await world.pass(hub);
  assert.deepEqual(statuses(), ["ended", "ended", "ended", "ended", "ended"]);
  assert.equal(world.most, 1);
  assert.deepEqual(await world.flow.keys({ orgId: ORG }), []);
});

Deno.test("a run that is replaced in its line ends as REPLACED", async () => {
  const world = new World();
  const hub = world.boot("a");
  const gate = { startAfter: null, lines: [{ key: "d", delayMs: 1_000, replaces: true as const }] };
  const [first, last] = [await hub.start(seq(op("a")), {}, { gate }), await hub.start(seq(op("b")), {}, { gate })];
  await world.pass(hub, 1_500);
  const end = await hub.end(first);
  assert.equal(end.type === "run.aborted" && end.code, "REPLACED");
  assert.deepEqual(hub.calls.map(({ nodeKey }) => nodeKey), ["b"]);
  world.open[0]!.end();
  assert.equal((await hub.end(last)).type, "run.completed");
});

Deno.test("a held operation's calls wait until it is let go, those under way go on", async () => {
  const world = new World();
  const hub = world.boot("a");
  const before = await hub.start(seq(op("a")));
  await hub.settle();
  const hold = await world.flow.addHold({
    orgId: ORG,
    kind: "operation",
    name: "t.step",
    reason: null,
    createdBy: "me",
  });
  await world.rules[0]!.refresh();
  const after = await hub.start(seq(op("b")));
  await world.pass(hub);
  assert.deepEqual(hub.calls.map(({ nodeKey }) => nodeKey), ["a"]);
  world.open[0]!.end();
  assert.equal((await hub.end(before)).type, "run.completed");
  await world.flow.removeHold({ orgId: ORG, id: hold.id });
  await world.rules[0]!.refresh();
  await world.pass(hub);
  world.open[0]!.end();
  assert.equal((await hub.end(after)).type, "run.completed");
});

Deno.test("TicketDesk asks again for all that waits when an answer was lost", async () => {
  const world = new World();
  let lost = 0;
  const store: FlowStore = Object.assign(Object.create(world.flow), {
    request: async (...args: Parameters<FlowStore["request"]>) => {
      const news = await world.flow.request(...args);
      if (lost++ < 2) throw new Error("the answer was lost");
      return news;
    },
  });
  const hub = world.boot("a", store);
  const runId = await hub.start(keyed("a"));
  for (let i = 0; i < 4; i++) await world.pass(hub);
  assert.equal(world.open.length, 1);
  world.open[0]!.end();
  assert.equal((await hub.end(runId)).type, "run.completed");
});

Deno.test("two hubs never exceed a limit, whichever crashes when, and every run ends (I4, I7)", async () => {
  const step = fc.constantFrom("call", "call", "run", "end", "end", "end", "crash a", "crash b", "wait");
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const world = new World();
      const hubs = new Map([["a", world.boot("a")], ["b", world.boot("b")]]);
      const gate = { startAfter: null, lines: [{ key: "k", concurrency: 1 }] };
      let turn = 0;
      const settle = async () => {
        for (const hub of hubs.values()) await world.pass(hub, 130);
      };
      for (const what of steps) {
        const hub = [...hubs.values()][turn++ % 2]!;
        // Runs and calls in one line: with one key, one of both at most may be at work.
        if (what === "call") await hub.start(keyed("x", "y"));
        else if (what === "run") await hub.start(seq(op("z")), {}, { gate });
        else if (what === "end") world.open[0]?.end();
        else if (what === "wait") await settle();
        else hubs.set(what.slice(6), await world.crash(hubs.get(what.slice(6))!, what.slice(6)));
        await hub.settle(2);
      }
      const isOpen = () => [...world.store.runs.values()].some(({ events }) => !isTerminalType(events.at(-1)!.type));
      for (let i = 0; i < 400 && isOpen(); i++) {
        world.open[0]?.end();
        await settle();
      }
      assert.equal(world.most <= 1, true, `${world.most} at work`);
      assert.equal(isOpen(), false, "a run waits for ever");
      for (let i = 0; i < 60; i++) await settle(); // what an owner has not asked for again is swept after 5 s
      assert.deepEqual(await world.flow.keys({ orgId: ORG }), []);
    }),
    { numRuns: 40 },
  );
});
