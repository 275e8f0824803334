import assert from "node:assert/strict";
import fc from "fast-check";
import { CallSlots } from "./call_slots.ts";
import { AGEING_MS, rankOf } from "./rank.ts";
import { op, par, TestEngine } from "./testing/test_engine.ts";

const call = (orgId: string, name = "", rank = 0) => ({ orgId, name, ended: false, rank });

Deno.test("CallSlots serves organizations in turn, each in order", () => {
  const slots = new CallSlots<ReturnType<typeof call>>({ max: 1, maxPerOrg: 1 });
  assert.equal(slots.take(call("a", "a0")), true);
  for (const name of ["a1", "a2", "a3"]) assert.equal(slots.take(call("a", name)), false);
  assert.equal(slots.take(call("b", "b1")), false);
  const served: string[] = [];
  for (let last = "a"; slots.queued > 0;) {
    slots.release(last);
    const next = slots.next();
    assert.ok(next !== null);
    served.push(next.name);
    last = next.orgId;
  }
  assert.deepEqual(served, ["a1", "b1", "a2", "a3"]);
});

Deno.test("CallSlots serves a higher priority first, and lets what waits gain on it", () => {
  const slots = new CallSlots<ReturnType<typeof call>>({ max: 1, maxPerOrg: 1 });
  slots.take(call("a", "running"));
  slots.take(call("a", "old", rankOf(0, 0)));
  slots.take(call("a", "urgent", rankOf(4 * AGEING_MS, 5)));
  slots.take(call("a", "late", rankOf(6 * AGEING_MS, 5)));
  const served: string[] = [];
  while (slots.queued > 0) {
    slots.release("a");
    served.push(slots.next()!.name);
  }
  assert.deepEqual(served, ["urgent", "old", "late"]);
});

Deno.test("CallSlots keeps room for others when one organization floods", () => {
  const slots = new CallSlots<ReturnType<typeof call>>({ max: 10, maxPerOrg: 7 });
  for (let i = 0; i < 100; i++) slots.take(call("flood"));
  assert.equal(slots.taken, 7);
  assert.equal(slots.take(call("trickle")), true);
});

Deno.test("CallSlots never passes a limit, and loses no call (I7)", () => {
  const org = fc.constantFrom("a", "b", "c");
  fc.assert(fc.property(fc.array(fc.tuple(org, fc.boolean(), fc.boolean())), (steps) => {
    const slots = new CallSlots<{ orgId: string; ended: boolean; rank: number }>({ max: 4, maxPerOrg: 3 });
    const held: { orgId: string; ended: boolean; rank: number }[] = [];
    let waiting = 0;
    for (const [orgId, isRelease, ends] of steps) {
      if (!isRelease) {
        const one = { orgId, ended: false, rank: (held.length + waiting) % 3 };
        if (slots.take(one)) held.push(one);
        else {
          waiting++;
          if (ends) {
            one.ended = true;
            waiting--;
          }
        }
      } else if (held.length > 0) {
        slots.release(held.shift()!.orgId);
        for (let next = slots.next(); next !== null; next = slots.next()) {
          assert.equal(next.ended, false);
          waiting--;
          held.push(next);
        }
      }
      assert.equal(slots.taken, held.length);
      assert.ok(held.length <= 4);
      for (const id of ["a", "b", "c"]) assert.ok(held.filter((one) => one.orgId === id).length <= 3);
    }
    while (held.length > 0) {
      slots.release(held.shift()!.orgId);
      for (let next = slots.next(); next !== null; next = slots.next()) {
        waiting--;
        held.push(next);
      }
    }
    assert.equal(waiting, 0);
    assert.equal(slots.queued, 0);
  }));
});

Deno.test("Engine frees the slot of a call that timed out though its handler never answers", async () => {
  const t = new TestEngine({ limits: { maxInFlight: 1, maxInFlightPerOrg: 1 } });
  t.handlers.set("t.hang", () => new Promise(() => {}));
  const end = await t.run(par([op("a", { timeout: 10 }, "hang"), op("b", { timeout: 10 }, "hang")]));
  assert.deepEqual(end.type === "run.failed" && end.counts.failed, 2);
  assert.equal(t.engine.stats().inFlight, 0);
});

Deno.test("Engine starts a waiting call of a higher priority first", async () => {
  const t = new TestEngine({ limits: { maxInFlight: 1, maxInFlightPerOrg: 1 } });
  const end = await t.run(par([op("first"), op("a"), op("b", { priority: 5 }), op("c", { priority: 7 })]));
  assert.equal(end.type, "run.completed");
  assert.deepEqual(t.calls.map(({ nodeKey }) => nodeKey), ["first", "c", "b", "a"]);
});
