import assert from "node:assert/strict";
import fc from "fast-check";
import { CallError } from "@alkdev/operations";
import { VirtualClock } from "../../../engine/memory/mod.ts";
import type { StartRun } from "../../runs/mod.ts";
import type { OwnedKey } from "../owner_keys.ts";
import { createOwnerKeys } from "../owner_keys.ts";
import { MAX_CATCH_UP } from "./decide_tick.ts";
import { createMemoryScheduleStore } from "./memory_schedule_store.ts";
import type { ScheduleDefinition } from "./schedule.ts";
import type { ScheduleStore } from "./schedule_store.ts";
import { Scheduler } from "./scheduler.ts";
import { createSchedules } from "./schedules.ts";

const START = Date.parse("2026-01-01T00:00:00Z");
const MINUTE = 60_000;

/** Schedules in virtual time, over runs that only remember that they were started. */
function world() {
  const clock = new VirtualClock(START);
  const store = createMemoryScheduleStore();
  const started: StartRun[] = [];
  const byKey = new Map<string, string>();
  const ended = new Set<string>();
  const keys = new Map<string, OwnedKey>([["k", { metadata: { scopes: ["*"] } }]]);
  let refusal: CallError | Error | null = null;
  const runs = {
    start(request: StartRun) {
      if (refusal !== null) return Promise.reject(refusal);
      const known = byKey.get(request.idempotencyKey ?? "");
      if (known !== undefined) return Promise.resolve({ id: known, status: "running" as const, duplicate: true });
      started.push(request);
      const id = `run-${started.length}`;
      if (request.idempotencyKey !== undefined) byKey.set(request.idempotencyKey, id);
      return Promise.resolve({ id, status: "running" as const, duplicate: false });
    },
    // Only the end of a run is looked at.
    get: ({ runId }: { readonly runId: string }) =>
      Promise.resolve({ completedAt: ended.has(runId) ? 1 : null }) as never,
  };
  const owners = createOwnerKeys({ find: (id) => Promise.resolve(keys.get(id) ?? null), now: clock.now.bind(clock) });
  const scheduler = (over: ScheduleStore = store) =>
    new Scheduler({
      store: over,
      runs,
      owners,
      clock,
      mayWork: () => true,
      onError: (error) => assert.ok(error === refusal || error instanceof Crash, String(error)),
    });
  const schedules = createSchedules({
    store,
    runs,
    catalog: { get: () => Promise.resolve({ decodeInput: (input: unknown) => input }) as never },
    now: clock.now.bind(clock),
  });
  const principal = { identity: { id: "ann", scopes: ["*"] }, orgId: "default", keyId: "k", keyName: null };
  const make = (definition: Partial<ScheduleDefinition> = {}) =>
    schedules.create({
      principal,
      definition: { name: "s", workflow: "w", cron: "* * * * *", labels: { a: "b" }, ...definition },
    });
  const ticks = () => started.map(({ idempotencyKey }) => (Number(idempotencyKey?.split(":")[2]) - START) / MINUTE);
  /** Moves in steps of a second, looking at each. */
  const pass = async (ms: number, by: Scheduler = scheduler()) => {
    for (let left = ms; left > 0; left -= 1_000) {
      clock.advance(Math.min(left, 1_000));
      await by.fireDue();
    }
  };
  const refuse = (error: CallError | Error | null) => refusal = error;
  return { clock, store, started, ended, keys, scheduler, schedules, principal, make, ticks, pass, refuse };
}

class Crash extends Error {}

Deno.test("Scheduler fires each tick once, on time, as the owner and with the schedule's label", async () => {
  const it = world();
  const { id } = await it.make({ input: { x: 1 }, priority: 5 });
  await it.pass(3 * MINUTE);
  assert.deepEqual(it.ticks(), [1, 2, 3]);
  const [first] = it.started;
  assert.deepEqual(first, {
    workflow: "w",
    input: { x: 1 },
    caller: { orgId: "default", identity: { id: "ann", scopes: ["*"] }, keyId: "k" },
    labels: { a: "b" },
    ownLabels: { "hub.schedule": id },
    priority: 5,
    idempotencyKey: `schedule:${id}:${START + MINUTE}`,
  });
  const { next, past } = await it.schedules.times({ caller: it.principal, id, count: 2 });
  assert.deepEqual(next, [START + 4 * MINUTE, START + 5 * MINUTE]);
  assert.deepEqual(past.map(({ tick, outcome, runId }) => [tick - START, outcome, runId]), [
    [3 * MINUTE, "started", "run-3"],
    [2 * MINUTE, "started", "run-2"],
  ]);
});

Deno.test("Scheduler makes up for missed ticks as the schedule says", async () => {
  for (const [catchUp, expected] of [["none", [241]], ["one", [240, 241]], ["all", [238, 239, 240, 241]]] as const) {
    const it = world();
    await it.make({ catchUp, startAt: START + 238 * MINUTE });
    it.clock.advance(240 * MINUTE + 30_000);
    await it.pass(MINUTE);
    assert.deepEqual(it.ticks(), expected, catchUp);
  }
});

Deno.test("Scheduler makes up for no more than the newest of very many missed ticks", async () => {
  const it = world();
  await it.make({ catchUp: "all" });
  it.clock.advance(1_000 * MINUTE + 30_000);
  await it.pass(110_000);
  assert.equal(it.ticks()[0], 1_000 - MAX_CATCH_UP + 1);
  assert.deepEqual(it.ticks(), it.ticks().toSorted((a, b) => a - b));
  assert.ok(it.ticks().includes(1_000));
});

Deno.test("Scheduler starts one run a tick with several hubs that die between claim, start and update", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 30, maxLength: 60 }), async (faults) => {
      const it = world();
      await it.make({ catchUp: "all" });
      let fault = 0;
      const store: ScheduleStore = {
        ...it.store,
        async update(params) {
          if (fault === 1) throw new Crash("before the update");
          const outcome = await it.store.update(params);
          if (fault === 2) throw new Crash("after the update");
          return outcome;
        },
        async claimDue(params) {
          const claimed = await it.store.claimDue(params);
          if (fault === 3 && claimed.length > 0) throw new Crash("after the claim");
          return claimed;
        },
      };
      const hubs = [it.scheduler(store), it.scheduler(store)];
      for (const each of faults) {
        it.clock.advance(20_000);
        fault = each;
        await Promise.all(hubs.map((hub) => hub.fireDue().catch((error) => assert.ok(error instanceof Crash))));
      }
      fault = 0;
      await it.pass(60_000, hubs[0]);
      const minutes = Math.floor((it.clock.now() - START) / MINUTE);
      assert.deepEqual(it.ticks().toSorted((a, b) => a - b), Array.from({ length: minutes }, (_, index) => index + 1));
    }),
    { numRuns: 30 },
  );
});

Deno.test("Scheduler skips or queues a tick whose predecessor runs", async () => {
  const it = world();
  const { id } = await it.make({ overlap: "skip" });
  await it.pass(2 * MINUTE);
  assert.deepEqual(it.ticks(), [1]);
  it.ended.add("run-1");
  await it.pass(MINUTE);
  assert.deepEqual(it.ticks(), [1, 3]);
  const { past } = await it.schedules.times({ caller: it.principal, id, count: 9 });
  assert.deepEqual(past.map(({ outcome }) => outcome), ["started", "skipped", "started"]);

  const other = world();
  await other.make({ overlap: "queue" });
  await other.pass(3 * MINUTE);
  assert.deepEqual(other.ticks(), [1]);
  other.ended.add("run-1");
  await other.pass(5_000);
  assert.deepEqual(other.ticks(), [1, 2]);
  other.ended.add("run-2").add("run-3");
  await other.pass(5_000);
  assert.deepEqual(other.ticks(), [1, 2, 3]);
});

Deno.test("Scheduler stops a schedule whose owner's key no longer counts, and says so", async () => {
  const reasons: readonly (readonly [OwnedKey | null, RegExp])[] = [
    [{ metadata: { scopes: ["*"], revokedAt: "2026-01-01T00:00:00Z" } }, /was revoked/],
    [{ metadata: { scopes: ["*"], enabled: false } }, /is disabled/],
    [{ metadata: { scopes: ["*"], expiresAt: "2026-01-01T00:00:30Z" } }, /has expired/],
    [{ metadata: { scopes: ["run:read"] } }, /lacks scope "workflow:run"/],
    [null, /is gone/],
  ];
  for (const [key, reason] of reasons) {
    const it = world();
    const { id } = await it.make();
    if (key === null) it.keys.delete("k");
    else it.keys.set("k", key);
    await it.pass(3 * MINUTE);
    const view = await it.schedules.get({ caller: it.principal, id });
    assert.deepEqual([it.ticks(), view.paused, view.nextAt], [[], true, null]);
    assert.match(view.lastError ?? "", reason);
  }
});

Deno.test("Scheduler goes on with the key that took the place of a rotated one, with no more scopes than at the start", async () => {
  const it = world();
  await it.make();
  it.keys.set("k", { metadata: { scopes: ["*"], revokedAt: "2026-01-01T00:00:00Z", rotatedTo: "k2" } });
  it.keys.set("k2", { metadata: { scopes: ["workflow:*", "run:read"] } });
  await it.pass(MINUTE);
  assert.deepEqual(it.started[0]?.caller.identity.scopes, ["workflow:*", "run:read"]);
});

Deno.test("Scheduler tells why a start failed and goes on, and tries again where that helps", async () => {
  const it = world();
  const { id } = await it.make();
  it.refuse(new CallError("WORKFLOW_NOT_FOUND", "There is no workflow"));
  await it.pass(MINUTE);
  const view = await it.schedules.get({ caller: it.principal, id });
  assert.match(view.lastError ?? "", /^WORKFLOW_NOT_FOUND/);
  assert.equal(view.paused, false);
  it.refuse(new CallError("OVERLOADED", "Too much"));
  await it.pass(MINUTE);
  it.refuse(null);
  await it.pass(2_000);
  assert.deepEqual(it.ticks(), [2]);
  it.refuse(new Error("the database is away"));
  await it.pass(MINUTE);
  it.refuse(null);
  await it.pass(30_000);
  assert.deepEqual(it.ticks(), [2, 3]);
  assert.equal((await it.schedules.get({ caller: it.principal, id })).lastError, null);
});

Deno.test("Scheduler spreads ticks by jitter, the same on every hub and within its bound", async () => {
  const it = world();
  const { id } = await it.make({ jitterMs: 30_000 });
  const lates = new Set<number>();
  for (let minute = 0; minute < 20; minute++) {
    await it.pass(MINUTE);
    const [last] = (await it.schedules.times({ caller: it.principal, id, count: 1 })).past;
    if (last !== undefined) lates.add(last.at - last.tick);
  }
  assert.ok(lates.size > 5, `${[...lates]}`);
  for (const late of lates) assert.ok(late >= 0 && late <= 31_000, `${late}`);
});

Deno.test("Scheduler.start() looks at what is due by its clock, and stop() ends that", async () => {
  const it = world();
  const scheduler = it.scheduler();
  await it.make({ cron: "*/5 * * * * *" });
  scheduler.start();
  const settle = () => new Promise<void>((resolve) => it.clock.afterTurn(resolve));
  for (let second = 0; second < 11; second++) {
    await settle();
    it.clock.advance(1_000);
  }
  await settle();
  await scheduler.stop();
  assert.equal(it.started.length, 2);
  assert.equal(it.clock.nextDue(), null);
});

Deno.test("Schedules pause, resume without making up, change owner with a change, and run now", async () => {
  const it = world();
  const { id } = await it.make({ catchUp: "all" });
  const caller = it.principal;
  await it.schedules.setPaused({ caller, id, paused: true });
  await it.pass(3 * MINUTE);
  assert.equal((await it.schedules.setPaused({ caller, id, paused: false })).nextAt, START + 4 * MINUTE);
  await it.pass(MINUTE);
  assert.deepEqual(it.ticks(), [4]);
  it.keys.set("k2", { metadata: { scopes: ["*"] } });
  const bob = { ...caller, keyId: "k2", identity: { id: "bob", scopes: ["workflow:run"] } };
  const definition = { name: "s2", workflow: "w2", cron: "*/2 * * * *" };
  const changed = await it.schedules.replace({ principal: bob, id, definition });
  assert.deepEqual([changed.name, changed.ownerId, changed.nextAt], ["s2", "bob", START + 6 * MINUTE]);
  await it.pass(2 * MINUTE);
  assert.deepEqual(it.started.at(-1)?.caller.identity, bob.identity);
  await it.schedules.run({ caller, id });
  assert.equal(it.started.at(-1)?.idempotencyKey, undefined);
  assert.equal((await it.schedules.times({ caller, id, count: 1 })).past[0]?.kind, "manual");
});

Deno.test("Schedules refuse a name twice, scopes that are not held, another organization's, and labels of the hub", async () => {
  const it = world();
  const { id } = await it.make();
  const code = (wanted: string) => (error: unknown) => error instanceof CallError && error.code === wanted;
  await assert.rejects(it.make(), code("SCHEDULE_EXISTS"));
  await assert.rejects(it.make({ name: "t", labels: { "hub.x": "1" } }), code("VALIDATION_ERROR"));
  const other = { ...it.principal, orgId: "other" };
  await assert.rejects(it.schedules.get({ caller: other, id }), code("SCHEDULE_NOT_FOUND"));
  await assert.rejects(it.schedules.remove({ caller: other, id }), code("SCHEDULE_NOT_FOUND"));
  const weak = { ...it.principal, identity: { id: "w", scopes: ["schedule:write"] } };
  const definition = { name: "x", workflow: "w", cron: "* * * * *" };
  await assert.rejects(it.schedules.create({ principal: weak, definition }), code("ACCESS_DENIED"));
  await it.schedules.remove({ caller: it.principal, id });
  assert.deepEqual(await it.schedules.list({ caller: it.principal }), []);
});
