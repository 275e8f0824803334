import assert from "node:assert/strict";
import type { Fire, ScheduleRecord, ScheduleStore } from "../../src/triggers/mod.ts";

/** A schedule for tests. */
export function scheduleRecord(change: Partial<ScheduleRecord> = {}): ScheduleRecord {
  return {
    id: crypto.randomUUID(),
    orgId: "default",
    definition: { name: crypto.randomUUID(), workflow: "w", cron: "* * * * *", input: { b: 1, a: "\u0000" } },
    owner: { keyId: "k", identity: { id: "admin", scopes: ["*"] } },
    paused: false,
    revision: 1,
    nextTick: 60_000,
    dueAt: 60_000,
    lastRunId: null,
    lastError: null,
    lastErrorAt: null,
    createdAt: 1_000,
    updatedAt: 1_000,
    ...change,
  };
}

function fireOf(scheduleId: string, tick: number, change: Partial<Fire> = {}): Fire {
  const at = tick + 5;
  return {
    id: `${scheduleId}:${tick}`,
    scheduleId,
    tick,
    at,
    kind: "tick",
    outcome: "started",
    runId: "r",
    reason: null,
    ...change,
  };
}

/** What every {@linkcode ScheduleStore} does. */
export function scheduleStoreConformance(
  name: string,
  create: () => Promise<{ readonly store: ScheduleStore; close(): Promise<void> }>,
): void {
  const test = (title: string, body: (store: ScheduleStore) => Promise<void>) =>
    Deno.test(`${name}: ScheduleStore ${title}`, async () => {
      const { store, close } = await create();
      try {
        await body(store);
      } finally {
        await close();
      }
    });

  test("keeps schedules by organization, one of a name", async (store) => {
    const one = scheduleRecord({ lastError: "x" });
    assert.equal(await store.create(one), true);
    assert.deepEqual(await store.get(one), one);
    assert.equal(await store.get({ orgId: "other", id: one.id }), null);
    const same = scheduleRecord({ definition: one.definition });
    assert.equal(await store.create(same), false);
    assert.equal(await store.create({ ...same, orgId: "other" }), true);
    assert.deepEqual((await store.list({ orgId: "default" })).map(({ id }) => id), [one.id]);
    assert.equal(await store.remove({ orgId: "other", id: one.id }), false);
    assert.equal(await store.remove(one), true);
    assert.equal(await store.get(one), null);
  });

  test("update() stores only over the revision that was read", async (store) => {
    const [one, two] = [scheduleRecord(), scheduleRecord()];
    await store.create(one);
    await store.create(two);
    const fire = fireOf(one.id, 60_000);
    assert.equal(await store.update({ schedule: { ...one, nextTick: 120_000, dueAt: 120_000 }, fire }), "updated");
    const stale = { ...one, nextTick: 180_000 };
    assert.equal(await store.update({ schedule: stale, fire: fireOf(one.id, 120_000) }), "changed");
    assert.equal((await store.get(one))?.nextTick, 120_000);
    assert.equal((await store.get(one))?.revision, 2);
    assert.deepEqual(await store.fires({ scheduleId: one.id, limit: 10 }), [fire]);
    assert.equal(await store.update({ schedule: { ...two, definition: one.definition } }), "name-taken");
    assert.equal(await store.update({ schedule: scheduleRecord() }), "changed");
  });

  test("claimDue() gives what is due to one at a time, until it is updated or the claim runs out", async (store) => {
    const first = scheduleRecord({ dueAt: 50_000 });
    const second = scheduleRecord({ dueAt: 60_000 });
    for (const each of [second, first, scheduleRecord({ paused: true }), scheduleRecord({ dueAt: null })]) {
      await store.create(each);
    }
    await store.create(scheduleRecord({ dueAt: 70_000 }));
    assert.equal(await store.nextDue(), 50_000);
    const claim = (now: number, limit = 10) => store.claimDue({ now, claimMs: 1_000, limit });
    assert.deepEqual(await claim(49_999), []);
    const claimed = await Promise.all([claim(60_000), claim(60_000), claim(60_000)]);
    assert.deepEqual(claimed.flat().map(({ id }) => id).sort(), [first.id, second.id].sort());
    assert.deepEqual(await claim(60_999), []);
    assert.deepEqual((await claim(61_000)).map(({ id }) => id), [first.id, second.id]);
    await store.update({ schedule: { ...first, dueAt: 61_000 } });
    assert.deepEqual((await claim(61_000)).map(({ id }) => id), [first.id]);
    assert.equal((await claim(70_000, 1)).length, 1);
  });

  test("keeps the newest fires", async (store) => {
    const one = scheduleRecord();
    await store.create(one);
    await store.record(fireOf(one.id, 1_000, { outcome: "skipped", runId: null, reason: "busy" }));
    for (const tick of [2_000, 3_000, 3_000, 4_000]) await store.record(fireOf(one.id, tick));
    const ticks = async () => (await store.fires({ scheduleId: one.id, limit: 10 })).map(({ tick }) => tick);
    assert.deepEqual(await ticks(), [4_000, 3_000, 2_000, 1_000]);
    await store.prune({ keep: 2 });
    assert.deepEqual(await ticks(), [4_000, 3_000]);
    await store.remove(one);
    assert.deepEqual(await ticks(), []);
  });
}
