import assert from "node:assert/strict";
import fc from "fast-check";
import { Alarms } from "./alarms.ts";

Deno.test("Alarms ring in order of time, then of setting, and not once cancelled", () => {
  const step = fc.record({ due: fc.integer({ min: 0, max: 20 }), cancel: fc.boolean() });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    let armed = Infinity;
    const alarms = new Alarms((due) => armed = due);
    const rung: number[] = [];
    const cancels = steps.map(({ due }, i) => alarms.at(due, () => rung.push(i)));
    steps.forEach(({ cancel }, i) => cancel && cancels[i]!());
    const expected = steps.map(({ due, cancel }, i) => ({ due, cancel, i })).filter(({ cancel }) => !cancel)
      .sort((a, b) => a.due - b.due || a.i - b.i);
    assert.equal(alarms.size, expected.length);
    for (let now = 0; now <= 20; now++) {
      if (armed <= now) alarms.ring(now);
      assert.deepEqual(rung, expected.filter(({ due }) => due <= now).map(({ i }) => i));
    }
    assert.equal(alarms.size, 0);
  }));
});

Deno.test("Alarms arm for the earliest, also when a callback sets an earlier one", () => {
  const armed: number[] = [];
  const alarms = new Alarms((due) => armed.push(due));
  alarms.at(100, () => alarms.at(150, () => {}));
  alarms.at(50, () => {});
  alarms.at(200, () => {});
  assert.deepEqual(armed, [100, 50]);
  alarms.ring(50);
  alarms.ring(100);
  assert.deepEqual(armed, [100, 50, 100, 150]);
});

Deno.test("Alarms forget cancelled ones", () => {
  const alarms = new Alarms(() => {});
  for (let i = 0; i < 10_000; i++) alarms.at(1_000 + i, () => {})();
  assert.equal(alarms.size, 0);
  alarms.ring(20_000);
});
