import assert from "node:assert/strict";
import fc from "fast-check";
import { type Push, Repeater, RepeaterOverflowError, type Stop } from "./mod.ts";

/** A started repeater, with its controls. */
function started(maxBuffered?: number) {
  let push: Push<number> = () => assert.fail("not started");
  let stop: Stop | undefined;
  const options = maxBuffered === undefined ? {} : { maxBuffered };
  const repeater = new Repeater<number>((...controls) => [push, stop] = controls, options);
  const first = repeater.next();
  return { repeater, first, push: (value: number) => push(value), stop: stop ?? assert.fail("not started") };
}

const done = { done: true, value: undefined };
const giving = (value: number) => ({ done: false, value });

Deno.test("Repeater runs its executor when the first value is asked for, once", async () => {
  let count = 0;
  const repeater = new Repeater<number>((push) => {
    count++;
    push(1);
  });
  assert.equal(count, 0);
  assert.deepEqual(await repeater.next(), giving(1));
  repeater.next();
  assert.equal(count, 1);
  await repeater.return();
});

Deno.test("Repeater gives buffered values in order, then the end", async () => {
  const { repeater, first, push, stop } = started();
  for (const value of [1, 2, 3]) push(value);
  stop();
  push(4);
  assert.deepEqual(await first, giving(1));
  assert.deepEqual(await Array.fromAsync(repeater), [2, 3]);
  assert.deepEqual(await repeater.next(), done);
});

Deno.test("Repeater serves next() calls made ahead of the values", async () => {
  const { repeater, first, push, stop } = started();
  const rest = [repeater.next(), repeater.next()];
  push(1);
  push(2);
  stop();
  assert.deepEqual([await first, ...await Promise.all(rest)], [giving(1), giving(2), done]);
});

Deno.test("Repeater throws the error it is stopped with, once, after the values before it", async () => {
  const { repeater, first, push, stop } = started();
  push(1);
  push(2);
  const error = new Error("boom");
  stop(error);
  stop(new Error("later"));
  await first;
  assert.deepEqual(await repeater.next(), giving(2));
  await assert.rejects(repeater.next(), (thrown) => thrown === error);
  assert.deepEqual(await repeater.next(), done);
});

Deno.test("Repeater gives the error to the first of those who wait", async () => {
  const { repeater, first, stop } = started();
  const second = repeater.next();
  stop(new Error("boom"));
  await assert.rejects(first, /boom/);
  assert.deepEqual(await second, done);
});

Deno.test("Repeater throws what its executor throws, at once or later", async () => {
  const sync = new Repeater(() => {
    throw new Error("boom");
  });
  await assert.rejects(sync.next(), /boom/);
  const later = new Repeater(() => Promise.reject(new Error("boom")));
  await assert.rejects(later.next(), /boom/);
});

Deno.test("Repeater resolves stop when the consumer ends the iteration, and drops what is buffered", async () => {
  const { repeater, first, push, stop } = started();
  push(1);
  await first;
  const taken = push(2);
  for await (const value of repeater) {
    assert.equal(value, 2);
    push(3);
    break;
  }
  await Promise.all([stop, taken]);
  assert.deepEqual(await repeater.next(), done);
  await push(4);
});

Deno.test("Repeater.return() before the start keeps the executor from running", async () => {
  const repeater = new Repeater(() => assert.fail("ran"));
  await repeater.return();
  assert.deepEqual(await repeater.next(), done);
});

Deno.test("Repeater.return() releases those who wait", async () => {
  const { repeater, first } = started();
  await repeater.return();
  assert.deepEqual(await first, done);
});

Deno.test("Repeater.throw() ends it and rejects", async () => {
  const { repeater, first, stop } = started();
  await assert.rejects(repeater.throw(new Error("boom")), /boom/);
  await stop;
  assert.deepEqual(await first, done);
});

Deno.test("Repeater resolves push when its value is taken", async () => {
  const { repeater, first, push } = started();
  await push(1);
  await first;
  const order: string[] = [];
  const taken = push(2).then(() => order.push("taken"));
  await Promise.resolve();
  order.push("asked");
  await repeater.next();
  await taken;
  assert.deepEqual(order, ["asked", "taken"]);
  await repeater.return();
});

Deno.test("Repeater ends with RepeaterOverflowError past maxBuffered, after the values it kept", async () => {
  const { repeater, first, push } = started(2);
  for (const value of [1, 2, 3, 4]) push(value);
  assert.deepEqual(await first, giving(1));
  assert.deepEqual([await repeater.next(), await repeater.next()], [giving(2), giving(3)]);
  await assert.rejects(repeater.next(), RepeaterOverflowError);
});

Deno.test("Repeater keeps order however pushes and next() calls interleave", async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 200 }), async (steps) => {
    const { repeater, first, push, stop } = started();
    const asked = [first];
    let pushed = 0;
    for (const isPush of steps) {
      if (isPush) push(pushed++);
      else asked.push(repeater.next());
    }
    stop();
    const results = await Promise.all(asked);
    const values = results.flatMap((result) => result.done === true ? [] : [result.value]);
    values.push(...await Array.fromAsync(repeater));
    assert.deepEqual(values, Array.from({ length: pushed }, (_, index) => index));
  }));
});
