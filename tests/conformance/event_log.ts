import assert from "node:assert/strict";
import fc from "fast-check";
import type { Json } from "@alkdev/flowgraph";
import { FencedError } from "../../engine/ports.ts";
import type { EventLog, Ownership } from "../../engine/ports.ts";
import { AT, COUNTS, RunScript, uuid, wholeRun } from "./fixtures.ts";

/** One store, as several hubs see it. */
export interface LogWorld {
  acquire(hubId: string, ttlMs?: number): Promise<Ownership>;
  log(lease: Ownership): EventLog;
  /** Makes the hub's lease run out now. */
  expire(hubId: string): Promise<void>;
  close(): Promise<void>;
}

/** What every {@linkcode EventLog} does. */
export function eventLogConformance(name: string, create: () => Promise<LogWorld>): void {
  const test = (title: string, body: (world: LogWorld, log: EventLog) => Promise<void>) =>
    Deno.test(`${name}: EventLog ${title}`, async () => {
      const world = await create();
      try {
        await body(world, world.log(await world.acquire("hub-a")));
      } finally {
        await world.close();
      }
    });

  test("read() gives a run's gate and its start as they were written", async (world) => {
    const log = world.log(await world.acquire("a"));
    const gate = { startAfter: AT + 5, lines: [{ key: "k:\u00e9", concurrency: 2, rate: { limit: 1, perMs: 10 } }] };
    const run = new RunScript().created({ gate });
    await log.commit(run.events);
    run.add({ type: "run.paused", by: "u" }).add({ type: "run.resumed", by: "u", queued: true }).add({
      type: "run.started",
    });
    run.add({ type: "run.aborted", reason: "no", code: "REPLACED", by: "hub", counts: COUNTS });
    await log.commit(run.events.slice(1));
    assert.deepEqual(await log.read({ runId: run.runId }), run.events);
  });

  test("read() gives the events of one run in order when several are committed together", async (_world, log) => {
    const [a, b] = [wholeRun(), wholeRun()];
    const mixed = a.events.flatMap((event, i) => [event, b.events[i]!]);
    assert.equal((await log.commit(mixed)).duplicates.size, 0);
    assert.deepEqual(await log.read({ runId: a.runId }), a.events);
    assert.deepEqual(await log.read({ runId: b.runId }), b.events);
  });

  test("read() gives nothing when the run is unknown", async (_world, log) => {
    assert.deepEqual(await log.read({ runId: uuid() }), []);
    assert.deepEqual(await log.read({ runId: "not a run" }), []);
  });

  test(
    "read() starts after `after` and stops at `limit`, between a request and its outcome too",
    async (_world, log) => {
      const { runId, events } = wholeRun();
      await log.commit(events);
      for (let after = 0; after <= events.length; after++) {
        for (const limit of [1, 2, 3, 100]) {
          assert.deepEqual(await log.read({ runId, after, limit }), events.slice(after, after + limit));
        }
      }
      assert.deepEqual(await log.read({ runId, after: 2 }), events.slice(2));
    },
  );

  test("commit() keeps every type of event as it was", async (_world, log) => {
    const run = everyType();
    await log.commit(run.events);
    assert.deepEqual(await log.read({ runId: run.runId }), run.events);
  });

  test("commit() appends to what earlier batches stored, event by event", async (_world, log) => {
    const run = everyType();
    for (const event of run.events) await log.commit([event]);
    assert.deepEqual(await log.read({ runId: run.runId }), run.events);
  });

  test("commit() keeps a run that begins and ends in one batch, failed or aborted", async (_world, log) => {
    const failed = new RunScript().created().add({
      type: "run.failed",
      error: { code: "X", message: "x", nodeKey: null },
      counts: COUNTS,
    });
    const aborted = new RunScript().created()
      .add({ type: "run.aborted", reason: "no", by: "u", counts: COUNTS });
    await log.commit([...failed.events, ...aborted.events]);
    assert.deepEqual(await log.read({ runId: failed.runId }), failed.events);
    assert.deepEqual(await log.read({ runId: aborted.runId }), aborted.events);
  });

  test("commit() writes nothing when one event of the batch cannot be written", async (_world, log) => {
    const good = wholeRun();
    const bad = new RunScript().created();
    const event = { ...bad.events[0]!, seq: Number.NaN };
    await assert.rejects(async () => await log.commit([...good.events, event]));
    assert.deepEqual(await log.read({ runId: good.runId }), []);
  });

  test("commit() stores a batch once when it is sent again after a lost answer", async (_world, log) => {
    const run = wholeRun(3, { idempotencyKey: "once" });
    await log.commit(run.events.slice(0, 3));
    assert.equal((await log.commit(run.events.slice(0, 3))).duplicates.size, 0);
    await log.commit(run.events);
    assert.deepEqual(await log.read({ runId: run.runId }), run.events);
  });

  test("commit() leaves a run out and names the holder when its idempotency key is taken", async (_world, log) => {
    const key = { idempotencyKey: 'a "key"\n\u0000\ud800' };
    const first = wholeRun(1, key);
    const [second, third, other] = [wholeRun(1, key), wholeRun(1, key), wholeRun(1)];
    const elsewhere = wholeRun(1, { ...key, workflow: "other" });
    await log.commit(first.events);
    const { duplicates } = await log.commit([
      ...second.events,
      ...other.events,
      ...third.events,
      ...elsewhere.events,
    ]);
    assert.deepEqual(duplicates, new Map([[second.runId, first.runId], [third.runId, first.runId]]));
    assert.deepEqual(await log.read({ runId: second.runId }), []);
    assert.deepEqual(await log.read({ runId: other.runId }), other.events);
    assert.deepEqual(await log.read({ runId: elsewhere.runId }), elsewhere.events);
  });

  test("commit() keeps the first of two runs with one key in one batch", async (_world, log) => {
    const [first, second] = [wholeRun(1, { idempotencyKey: "k" }), wholeRun(1, { idempotencyKey: "k" })];
    const { duplicates } = await log.commit([...first.events, ...second.events]);
    assert.deepEqual(duplicates, new Map([[second.runId, first.runId]]));
    assert.deepEqual(await log.read({ runId: first.runId }), first.events);
    assert.deepEqual(await log.read({ runId: second.runId }), []);
  });

  test("commit() keeps any string and any number as it was", async (_world, log) => {
    for (
      const odd of ["\u0000", "a\u0000b", "\ud800", "\udc00x", "\\u0000", "\\", '"', "\n\t\r", "\u2028", "🙂", "{}", ""]
    ) {
      const run = wholeRun(0, { input: odd, labels: { [odd]: odd }, workflow: `w${odd}` }).call("x", { [odd]: odd });
      await log.commit(run.events);
      assert.deepEqual(await log.read({ runId: run.runId }), run.events);
    }
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ noUnicodeString: false }), async (value) => {
        const json = JSON.parse(JSON.stringify(value)) as Json;
        const run = new RunScript().created({ input: json }).call("x", json).completed(json);
        await log.commit(run.events);
        assert.equal(
          JSON.stringify(valuesOf(await log.read({ runId: run.runId }))),
          JSON.stringify(valuesOf(run.events)),
        );
      }),
      { numRuns: 40 },
    );
  });

  test("commit() takes a batch of 10,000 events", async (_world, log) => {
    const runs = Array.from({ length: 500 }, () => wholeRun(9));
    await log.commit(runs.flatMap((run) => run.events));
    for (const run of [runs[0]!, runs[250]!, runs[499]!]) {
      assert.deepEqual(await log.read({ runId: run.runId }), run.events);
    }
  });

  test("commit() stands concurrent callers", async (_world, log) => {
    const runs = Array.from({ length: 40 }, () => wholeRun());
    await Promise.all(runs.map((run) => log.commit(run.events)));
    for (const run of runs) assert.deepEqual(await log.read({ runId: run.runId }), run.events);
  });

  test("commit() writes nothing and throws FencedError when the same hub was acquired again", async (world, log) => {
    const before = new RunScript().created();
    await log.commit(before.events);
    const second = world.log(await world.acquire("hub-a"));
    const after = wholeRun();
    await assert.rejects(log.commit([...before.call("x").events.slice(1), ...after.events]), FencedError);
    assert.deepEqual(await second.read({ runId: after.runId }), []);
    assert.equal((await second.read({ runId: before.runId })).length, 1);
    await second.commit(before.events.slice(1));
    assert.deepEqual(await second.read({ runId: before.runId }), before.events);
  });

  test(
    "commit() is whole or nothing, and never again after the first refusal, when a takeover runs beside it",
    async (world, log) => {
      const runs = Array.from({ length: 60 }, () => wholeRun());
      const commits = runs.map((run) =>
        log.commit(run.events).then(() => true, (error) => {
          assert.ok(error instanceof FencedError, String(error));
          return false;
        })
      );
      const lease = await world.acquire("hub-a");
      const seenAtTakeover = await Promise.all(runs.map((run) => world.log(lease).read({ runId: run.runId })));
      const done = await Promise.all(commits);
      assert.ok(!done.slice(done.indexOf(false) === -1 ? done.length : done.indexOf(false)).includes(true));
      for (const [i, run] of runs.entries()) {
        assert.equal(seenAtTakeover[i]!.length, done[i] ? run.events.length : 0);
      }
    },
  );
}

function valuesOf(events: readonly unknown[]): unknown {
  return (events as readonly { input?: unknown; output?: { data?: unknown } }[])
    .map((event) => [event.input, event.output?.data ?? event.output]);
}

function everyType(): RunScript {
  const [a, b, c] = [uuid(), uuid(), uuid()];
  const TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const parent = { runId: uuid(), requestId: crypto.randomUUID(), rootRunId: uuid() };
  const identity = { id: "u2", scopes: [], resources: { "project:1": ["read"] } };
  return new RunScript()
    .created({
      parent,
      traceparent: TRACE,
      labels: { z: "1", a: "2" },
      priority: -3,
      deadline: AT + 5,
      caller: { identity, orgId: "o" },
    })
    .requested("a", a).failed("a", a, AT + 9)
    .requested("a", b, [1, null, "x"], 2).failed("a", b, null, 2)
    .requested("b", c).add({ type: "branch.taken", key: "if", branch: "else" }).responded("b", c, null)
    .requested("d[3][0]", uuid()).add({ type: "call.aborted", key: "d[3][0]", attempt: 1, requestId: uuid() })
    .add({ type: "node.failed", key: "n", error: { code: "X", message: "no\u0000" } })
    .add({ type: "map.expanded", key: "m", count: 2, items: [1, { b: 1, a: 2 }] })
    .add({ type: "map.expanded", key: "m2", count: 0 })
    .add({ type: "loop.turned", key: "l", turns: 1, again: true })
    .add({ type: "timer.set", key: "t", due: AT + 100 }).add({ type: "timer.fired", key: "t" })
    .add({ type: "signal.awaited", key: "s", name: "go", due: null, question: { q: "?" } })
    .add({ type: "signal.received", key: "s", name: "go", payload: { ok: true }, by: "u" })
    .add({ type: "signal.timedout", key: "s2" })
    .add({
      type: "call.responded",
      key: "h",
      attempt: 2,
      requestId: uuid(),
      output: { data: 1, meta: { source: "http", statusCode: 200, headers: { a: "b" }, contentType: "text/plain" } },
    })
    .add({ type: "run.paused", by: "u" }).add({ type: "run.resumed", by: "u" })
    .add({ type: "run.failed", error: { code: "X", message: "m", nodeKey: "a", details: [1] }, counts: COUNTS });
}
