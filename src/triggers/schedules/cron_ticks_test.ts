import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import { CronTicks } from "./cron_ticks.ts";
import type { ScheduleDefinition } from "./schedule.ts";

const at = (iso: string) => Date.parse(iso);
const iso = (ticks: readonly number[]) => ticks.map((tick) => new Date(tick).toISOString().slice(5, 16));
const ticksOf = (cron: string, more: Partial<ScheduleDefinition> = {}) =>
  new CronTicks({ name: "n", workflow: "w", cron, ...more });
const berlin = { timeZone: "Europe/Berlin" } as const;

Deno.test("CronTicks.next() moves a time that the clock leaps over in spring to the end of the gap", () => {
  const ticks = ticksOf("30 2 * * *", berlin);
  assert.deepEqual(iso(ticks.upcoming(at("2026-03-28T00:00:00Z"), 3)), ["03-28T01:30", "03-29T01:00", "03-30T00:30"]);
});

Deno.test("CronTicks.next() takes the first of two equal times in autumn, once", () => {
  const ticks = ticksOf("30 2 * * *", berlin);
  assert.deepEqual(iso(ticks.upcoming(at("2026-10-24T00:00:00Z"), 3)), ["10-24T00:30", "10-25T00:30", "10-26T01:30"]);
});

Deno.test("CronTicks goes on evenly through both changes of the clock where the hour repeats, in both directions", () => {
  const ticks = ticksOf("*/30 * * * *", berlin);
  for (const start of ["2026-03-28T23:30:00Z", "2026-10-24T23:30:00Z"]) {
    const expected = Array.from({ length: 10 }, (_, index) => at(start) + (index + 1) * 1_800_000);
    assert.deepEqual(ticks.upcoming(at(start), 10), expected);
    assert.deepEqual(ticks.past(expected.at(-1)!, 0, 10), expected);
  }
});

Deno.test("CronTicks keeps within startAt and endAt, and takes seconds", () => {
  const ticks = ticksOf("*/10 * * * * *", { startAt: 20_000, endAt: 50_000 });
  assert.deepEqual(ticks.upcoming(0, 9), [20_000, 30_000, 40_000]);
  assert.equal(ticks.next(40_000), null);
  assert.deepEqual(ticks.past(99_000, 0, 9), [20_000, 30_000, 40_000]);
  assert.deepEqual(ticks.past(99_000, 25_000, 9), [30_000, 40_000]);
  assert.deepEqual(ticks.past(30_000, 0, 1), [30_000]);
});

Deno.test("CronTicks says which field is wrong", () => {
  const wrong: readonly (readonly [Partial<ScheduleDefinition>, string])[] = [
    [{ cron: "* * * *" }, "/cron"],
    [{ cron: "* * * * * * *" }, "/cron"],
    [{ cron: "61 * * * *" }, "/cron"],
    [{ timeZone: "Mars/Base" }, "/timeZone"],
    [{ startAt: 5, endAt: 5 }, "/endAt"],
  ];
  for (const [more, path] of wrong) {
    assert.throws(() => ticksOf("* * * * *", more), (error: unknown) => {
      assert.ok(error instanceof CallError && error.code === "VALIDATION_ERROR");
      assert.deepEqual((error.details as { errors: { path: string }[] }).errors.map((each) => each.path), [path]);
      return true;
    });
  }
  assert.equal(ticksOf("0 0 31 2 *").next(0), null);
});

Deno.test("CronTicks.next() ends when the schedule begins at the end of time", () => {
  const ticks = new CronTicks({ name: "late", workflow: "w", input: {}, cron: "* * * * *", startAt: 8.64e15 });
  assert.equal(ticks.next(0), null);
});
