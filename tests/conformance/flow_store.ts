import assert from "node:assert/strict";
import fc from "fast-check";
import { rankOf } from "../../engine/mod.ts";
import type { FlowHub, FlowStore, TicketNews, TicketRequest } from "../../src/flow/ports.ts";
import { uuid } from "./fixtures.ts";

/** One store, the hubs that use it, and what is around it. */
export interface FlowWorld {
  readonly store: FlowStore;
  hub(hubId: string): Promise<FlowHub>;
  /** Makes runs be under way. */
  begin(runIds: readonly string[]): Promise<void>;
  /** Ends one of them. */
  end(runId: string): Promise<void>;
  /** Moves time for the store, or waits. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

const ORG = "default";

function ticket(key: string, fields: Partial<TicketRequest> = {}): TicketRequest {
  const runId = fields.runId ?? uuid();
  const node = { orgId: ORG, key, holder: runId, runId, nodeKey: null, priority: 0, rank: 0, line: {}, fallback: null };
  return { ...node, ...fields };
}

function states(news: readonly TicketNews[]): Record<string, string> {
  return Object.fromEntries(news.map(({ holder, state }) => [holder, state]));
}

/** What every {@linkcode FlowStore} does. */
export function flowStoreConformance(name: string, create: () => Promise<FlowWorld>): void {
  const test = (title: string, body: (world: FlowWorld) => Promise<void>) =>
    Deno.test(`${name}: FlowStore ${title}`, async () => {
      const world = await create();
      try {
        await body(world);
      } finally {
        await world.close();
      }
    });

  test("request() grants up to the line's limit, and release() grants the next in order", async ({ store, hub }) => {
    const a = await hub("a");
    const line = { concurrency: 2 };
    const [one, two, three, four] = [1, 2, 3, 4].map((rank) => ticket("k", { rank, line })) as [
      TicketRequest,
      TicketRequest,
      TicketRequest,
      TicketRequest,
    ];
    assert.deepEqual(states(await store.request(a, [one, two, four])), { [one.holder]: "held", [two.holder]: "held" });
    assert.deepEqual(await store.request(a, [three]), []);
    assert.deepEqual(states(await store.release(a, [one])), { [three.holder]: "held" });
    assert.deepEqual(await store.poll(a), []);
    const shown = await store.tickets({ orgId: ORG, key: "k", limit: 10 });
    assert.deepEqual(shown.map(({ holder, state, position }) => [holder, state, position]), [
      [two.holder, "held", null],
      [three.holder, "held", null],
      [four.holder, "waiting", 1],
    ]);
    assert.deepEqual(await store.keys({ orgId: ORG }), [
      { key: "k", running: 2, waiting: 1, concurrency: 2, rate: null },
    ]);
    assert.deepEqual(await store.keys({ orgId: "other" }), []);
  });

  test("request() is idempotent: a ticket that is there is taken over with its place", async ({ store, hub }) => {
    const [a, b] = [await hub("a"), await hub("b")];
    const [held, waiting] = [
      ticket("k", { line: { concurrency: 1 } }),
      ticket("k", { line: { concurrency: 1 }, rank: 1 }),
    ];
    await store.request(a, [held, waiting]);
    assert.deepEqual(states(await store.request(b, [held, waiting])), { [held.holder]: "held" });
    // The hub that held it before cannot give away what another holds now.
    await store.release(a, [held]);
    assert.deepEqual(await store.poll(b), []);
    assert.deepEqual(states(await store.release(b, [held])), { [waiting.holder]: "held" });
  });

  test("poll() tells a hub what another's release has granted it", async ({ store, hub }) => {
    const [a, b] = [await hub("a"), await hub("b")];
    const [first, second] = [ticket("k", { fallback: 1 }), ticket("k", { fallback: 1, rank: 1 })];
    await store.request(a, [first]);
    assert.deepEqual(await store.request(b, [second]), []);
    assert.deepEqual(await store.release(a, [first]), []);
    assert.deepEqual(states(await store.poll(b)), { [second.holder]: "held" });
    assert.deepEqual(await store.poll(b), []);
  });

  test("a hub whose lease is lost gets nothing", async ({ store, hub }) => {
    const old = await hub("a");
    const now = await hub("a");
    const one = ticket("k");
    assert.deepEqual(await store.request(old, [one]), []);
    assert.deepEqual(states(await store.request(now, [one])), { [one.holder]: "held" });
  });

  test("serves a higher priority first, and who has waited before what came later", async ({ store, hub }) => {
    const a = await hub("a");
    const of = (at: number, priority: number) =>
      ticket("k", { line: { concurrency: 1 }, priority, rank: rankOf(at, priority) });
    const [running, old, urgent, late] = [of(0, 0), of(1, 0), of(4_000, 5), of(6_001, 5)];
    await store.request(a, [running]);
    await store.request(a, [late, old, urgent]);
    for (const [from, to] of [[running, urgent], [urgent, old], [old, late]] as const) {
      assert.deepEqual(states(await store.release(a, [from])), { [to.holder]: "held" });
    }
  });

  test("setLimit() comes before the line's own and the fallback, at once", async ({ store, hub }) => {
    const a = await hub("a");
    const all = Array.from({ length: 5 }, (_, rank) => ticket("k", { rank, fallback: 1 }));
    assert.equal((await store.request(a, all)).length, 1);
    const version = await store.version();
    const limit = { orgId: ORG, key: "k", concurrency: 3, rate: null, updatedBy: "me" };
    assert.equal((await store.setLimit(limit)).concurrency, 3);
    assert.equal((await store.poll(a)).length, 2);
    assert.ok(await store.version() > version);
    const { limits } = await store.rules();
    assert.deepEqual(limits.map(({ key, concurrency, rate, updatedBy }) => [key, concurrency, rate, updatedBy]), [
      ["k", 3, null, "me"],
    ]);
    await store.setLimit({ ...limit, concurrency: 1 });
    assert.deepEqual(await store.release(a, all.slice(0, 2)), [], "one still holds it");
    assert.equal(await store.removeLimit({ orgId: "other", key: "k" }), false);
    assert.equal(await store.removeLimit({ orgId: ORG, key: "k" }), true);
    assert.equal(await store.removeLimit({ orgId: ORG, key: "k" }), false);
  });

  test("keeps organizations apart", async ({ store, hub }) => {
    const a = await hub("a");
    const [here, there] = [ticket("k", { fallback: 1 }), ticket("k", { fallback: 1, orgId: "other" })];
    assert.equal((await store.request(a, [here, there])).length, 2);
    assert.deepEqual((await store.tickets({ orgId: "other", key: "k", limit: 5 })).map(({ holder }) => holder), [
      there.holder,
    ]);
    assert.deepEqual(await store.ticketsOf({ orgId: "other", runId: here.runId }), []);
    assert.equal((await store.ticketsOf({ orgId: ORG, runId: here.runId })).length, 1);
  });

  test("grants no more than a rate allows in any span of it", async ({ store, hub, pass }) => {
    const a = await hub("a");
    const line = { rate: { limit: 2, perMs: 300 } };
    const all = Array.from({ length: 5 }, (_, rank) => ticket("k", { rank, line }));
    assert.equal((await store.request(a, all)).length, 2);
    assert.deepEqual(await store.release(a, all.slice(0, 2)), [], "giving back does not make room");
    await pass(310);
    assert.equal((await store.poll(a)).length, 2);
    assert.equal((await store.poll(a)).length, 0);
    await pass(310);
    assert.deepEqual(states(await store.poll(a)), { [all[4]!.holder]: "held" });
  });

  test("a delayed ticket that replaces gives up those before it, and waits at most maxDelayMs", async (world) => {
    const { store, hub, pass } = world;
    const a = await hub("a");
    const line = { delayMs: 1_000, maxDelayMs: 1_500, replaces: true } as const;
    const [one, two, three] = [1, 2, 3].map((rank) => ticket("k", { rank, line })) as [
      TicketRequest,
      TicketRequest,
      TicketRequest,
    ];
    assert.deepEqual(await store.request(a, [one]), []);
    await pass(300);
    const news = await store.request(a, [two]);
    assert.deepEqual(news.map(({ holder, state, replacedBy }) => [holder, state, replacedBy]), [
      [one.holder, "replaced", two.holder],
    ]);
    await pass(300);
    assert.deepEqual(await store.poll(a), [], "a second after the second has not gone by");
    await store.request(a, [three]);
    await pass(1_000);
    assert.deepEqual(states(await store.poll(a)), { [three.holder]: "held" }, "1.5 s after the first have gone by");
    assert.deepEqual(states(await store.request(a, [one])), { [one.holder]: "replaced" });
  });

  test("a ticket that is now or never is refused instead of waiting, and leaves nothing behind", async ({ store, hub }) => {
    const a = await hub("a");
    const fields = { line: { concurrency: 1 }, nowOrNever: true } as const;
    const [one, two] = [ticket("k", fields), ticket("k", fields)];
    assert.deepEqual(states(await store.request(a, [one])), { [one.holder]: "held" });
    assert.deepEqual(states(await store.request(a, [two])), { [two.holder]: "refused" });
    assert.deepEqual(await store.release(a, [one]), []);
    assert.equal((await store.keys({ orgId: ORG })).length, 0);
  });

  test("sweep() frees what runs hold that are over, and what their new owner has not asked for", async (world) => {
    const { store, hub, begin } = world;
    const [a, b] = [await hub("a"), await hub("b")];
    const [over, adopted, kept, next] = [1, 2, 3, 4].map((rank) => ticket("k", { rank, line: { concurrency: 3 } })) as [
      TicketRequest,
      TicketRequest,
      TicketRequest,
      TicketRequest,
    ];
    await begin([adopted.runId, kept.runId, next.runId]);
    await store.request(a, [over, adopted, kept, next]);
    assert.equal(await store.sweep(b, { runIds: [], ageMs: 60_000 }), 0, "it may be about to begin");
    await world.pass(5);
    assert.equal(await store.sweep(b, { runIds: [], ageMs: 0 }), 1);
    assert.deepEqual(states(await store.poll(a)), { [next.holder]: "held" });
    await store.request(b, [kept]);
    assert.equal(await store.sweep(b, { runIds: [adopted.runId, kept.runId], ageMs: 0 }), 1);
    assert.deepEqual(
      (await store.tickets({ orgId: ORG, key: "k", limit: 9 })).map(({ holder }) => holder).toSorted(),
      [
        kept.holder,
        next.holder,
      ].toSorted(),
    );
  });

  test("sweep() frees at once what a run holds that has ended", async ({ store, hub, begin, end }) => {
    const [a, b] = [await hub("a"), await hub("b")];
    const [ended, next] = [ticket("k", { fallback: 1 }), ticket("k", { fallback: 1, rank: 1 })];
    await begin([ended.runId, next.runId]);
    await store.request(a, [ended]);
    await store.request(b, [next]);
    assert.equal(await store.sweep(b, { runIds: [], ageMs: 60_000 }), 0);
    await end(ended.runId);
    assert.equal(await store.sweep(b, { runIds: [], ageMs: 60_000 }), 1);
    assert.deepEqual(states(await store.poll(b)), { [next.holder]: "held" });
  });

  test("holds are one for each kind and name, and of one organization", async ({ store }) => {
    const hold = { orgId: ORG, kind: "workflow", name: "w", reason: null, createdBy: "me" } as const;
    const version = await store.version();
    const made = await store.addHold(hold);
    assert.deepEqual(await store.addHold({ ...hold, reason: "again" }), made);
    assert.ok(await store.version() > version);
    assert.deepEqual((await store.rules()).holds, [made]);
    assert.equal(await store.removeHold({ orgId: "other", id: made.id }), null);
    assert.deepEqual(await store.removeHold({ orgId: ORG, id: made.id }), made);
    assert.deepEqual((await store.rules()).holds, []);
  });

  test("never exceeds a limit, whoever asks when, and forgets nobody (I7)", async ({ store, hub, begin }) => {
    const hubs = [await hub("a"), await hub("b")];
    const step = fc.record({
      what: fc.constantFrom("request", "release", "poll", "adopt"),
      hub: fc.nat(1),
      rank: fc.nat(3),
      key: fc.constantFrom("x", "y"),
    });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        round++;
        const limits = new Map([[`x${round}`, 1], [`y${round}`, 2]]);
        const open = new Map<string, { request: TicketRequest; by: number; state: string }>();
        const hear = (news: readonly TicketNews[]) => {
          for (const { holder, state } of news) {
            const known = open.get(holder);
            if (known !== undefined) known.state = state;
          }
          for (const [key, most] of limits) {
            const holds = [...open.values()].filter(({ request, state }) => request.key === key && state === "held");
            assert.ok(holds.length <= most, `${holds.length} hold "${key}"`);
          }
        };
        const pick = (by: number) => [...open.values()].find((it) => it.by === by);
        for (const { what, hub: by, rank, key } of steps) {
          if (what === "request") {
            const line = { concurrency: limits.get(`${key}${round}`)! };
            const request = ticket(`${key}${round}`, { rank, line });
            await begin([request.runId]);
            open.set(request.holder, { request, by, state: "waiting" });
            hear(await store.request(hubs[by]!, [request]));
          } else if (what === "poll") hear(await store.poll(hubs[by]!));
          else {
            const one = pick(what === "adopt" ? 1 - by : by);
            if (one === undefined) continue;
            if (what === "adopt") {
              one.by = by;
              hear(await store.request(hubs[by]!, [one.request]));
            } else {
              open.delete(one.request.holder);
              hear(await store.release(hubs[by]!, [one.request]));
            }
          }
        }
        for (let left = open.size; open.size > 0; left = open.size) {
          for (const hub of hubs) hear(await store.poll(hub));
          for (const { request, by, state } of [...open.values()]) {
            if (state !== "held") continue;
            open.delete(request.holder);
            hear(await store.release(hubs[by]!, [request]));
          }
          assert.ok(open.size < left, "somebody waits for ever");
        }
      }),
      { numRuns: 25 },
    );
  });
}
