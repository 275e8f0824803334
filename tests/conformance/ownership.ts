import assert from "node:assert/strict";
import { FencedError } from "../../engine/ports.ts";
import type { LogWorld } from "./event_log.ts";
import { COUNTS, RunScript, wholeRun } from "./fixtures.ts";

/** What every {@linkcode Ownership} does. */
export function ownershipConformance(name: string, create: () => Promise<LogWorld>): void {
  const test = (title: string, body: (world: LogWorld) => Promise<void>) =>
    Deno.test(`${name}: Ownership ${title}`, async () => {
      const world = await create();
      try {
        await body(world);
      } finally {
        await world.close();
      }
    });

  test("epoch rises with each acquisition of one hub, apart from others", async (world) => {
    const [a1, b1, a2] = [await world.acquire("a"), await world.acquire("b"), await world.acquire("a")];
    assert.ok(a2.epoch > a1.epoch);
    assert.equal(b1.hubId, "b");
    await assert.rejects(a1.renew(), FencedError);
    await a2.renew();
    await b1.renew();
  });

  test("claim() gives nothing while every owner lives", async (world) => {
    const [a, b] = [await world.acquire("a"), await world.acquire("b")];
    await world.log(a).commit(new RunScript().created().events);
    assert.deepEqual(await a.claim(10), []);
    assert.deepEqual(await b.claim(10), []);
  });

  test("claim() gives a restarted hub its earlier runs, without those that ended", async (world) => {
    const first = await world.acquire("a");
    const [open, ended, failed, late] = [new RunScript().created(), wholeRun(), new RunScript().created(), wholeRun()];
    failed.add({ type: "run.failed", error: { code: "X", message: "x", nodeKey: null }, counts: COUNTS });
    const log = world.log(first);
    await log.commit([...open.events, ...ended.events, ...failed.events, ...late.events.slice(0, 2)]);
    await log.commit(late.events.slice(2));
    const second = await world.acquire("a");
    assert.deepEqual(await second.claim(10), [open.runId]);
    assert.deepEqual(await second.claim(10), []);
    await world.log(second).commit(open.completed().events.slice(1));
    assert.deepEqual(await (await world.acquire("a")).claim(10), []);
  });

  test("claim() gives paused runs too", async (world) => {
    const run = new RunScript().created().add({ type: "run.paused", by: "u" });
    await world.log(await world.acquire("a")).commit(run.events);
    assert.deepEqual(await (await world.acquire("a")).claim(10), [run.runId]);
  });

  test("claim() takes at most `limit`, each run once, when two hubs claim together", async (world) => {
    const dead = await world.acquire("dead");
    const runs = Array.from({ length: 30 }, () => new RunScript().created());
    await world.log(dead).commit(runs.flatMap((run) => run.events));
    await dead.release();
    const [a, b] = [await world.acquire("a"), await world.acquire("b")];
    const claims = await Promise.all([a.claim(10), b.claim(10), a.claim(10), b.claim(10)]);
    assert.ok(claims.every((ids) => ids.length <= 10));
    assert.deepEqual(claims.flat().sort(), runs.map((run) => run.runId).sort());
  });

  test("claim() takes the runs of a hub whose lease ran out", async (world) => {
    const dead = await world.acquire("dead");
    const run = new RunScript().created();
    await world.log(dead).commit(run.events);
    await world.expire("dead");
    assert.deepEqual(await (await world.acquire("a")).claim(10), [run.runId]);
  });

  test("claim() fences the hub whose lease ran out: it writes nothing more", async (world) => {
    const late = await world.acquire("late");
    const run = new RunScript().created();
    await world.log(late).commit(run.events);
    await world.expire("late");
    const next = await world.acquire("next");
    assert.deepEqual(await next.claim(10), [run.runId]);
    await assert.rejects(world.log(late).commit(run.completed().events.slice(1)), FencedError);
    await assert.rejects(late.renew(), FencedError);
    await world.log(next).commit(run.events.slice(1));
  });

  test("release() fences the hub that released", async (world) => {
    const gone = await world.acquire("gone");
    const run = new RunScript().created();
    await world.log(gone).commit(run.events);
    await gone.release();
    await assert.rejects(world.log(gone).commit(run.completed().events.slice(1)), FencedError);
  });

  test("claim() and renew() throw FencedError when superseded", async (world) => {
    const first = await world.acquire("a");
    await world.acquire("a");
    await assert.rejects(first.claim(1), FencedError);
    await assert.rejects(first.renew(), FencedError);
  });

  test("release() of a superseded lease leaves the holder alone", async (world) => {
    const first = await world.acquire("a");
    const second = await world.acquire("a");
    await first.release();
    await second.renew();
    await second.release();
    await second.release();
  });
}
