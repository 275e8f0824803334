import assert from "node:assert/strict";
import fc from "fast-check";
import {
  batch,
  chain,
  dedupe,
  filter,
  flat,
  groupBy,
  join,
  map,
  pipe,
  reduce,
  Repeater,
  take,
  toArray,
  window,
} from "../mod.ts";

async function* of<T>(...values: T[]): AsyncGenerator<T, void, undefined> {
  yield* values;
}

/** A source that notes how far it was read and whether it was ended. */
function counted(limit = 1_000) {
  const log = { read: 0, ended: false };
  async function* source(): AsyncGenerator<number, void, undefined> {
    try {
      while (log.read < limit) yield ++log.read;
    } finally {
      log.ended = true;
    }
  }
  return { log, source: source() };
}

async function* failing(): AsyncGenerator<number, void, undefined> {
  yield 1;
  throw new Error("boom");
}

const numbers = fc.array(fc.nat(9));

Deno.test("filter() keeps what passes, with a predicate that answers now or later", async () => {
  const isOdd = (n: number) => n % 2 === 1;
  assert.deepEqual(await pipe(of(1, 2, 3), filter(isOdd), toArray()), [1, 3]);
  assert.deepEqual(await pipe(of(1, 2, 3), filter((n) => Promise.resolve(isOdd(n))), toArray()), [1, 3]);
  const strings: string[] = await pipe(of<string | number>(1, "x"), filter((v) => typeof v === "string"), toArray());
  assert.deepEqual(strings, ["x"]);
});

Deno.test("map() replaces each value, waiting for promises", async () => {
  assert.deepEqual(await pipe(of(1, 2), map((n) => n * 2), map((n) => Promise.resolve(n + 1)), toArray()), [3, 5]);
});

Deno.test("pipe() without operators gives its source", () => {
  assert.equal(pipe(5), 5);
});

Deno.test("take() ends the source after its last value without asking for another", async () => {
  const { log, source } = counted();
  assert.deepEqual(await pipe(source, take(2), toArray()), [1, 2]);
  assert.deepEqual(log, { read: 2, ended: true });
  assert.deepEqual(await pipe(of(1), take(5), toArray()), [1]);
  const untouched = counted();
  assert.deepEqual(await pipe(untouched.source, take(0), toArray()), []);
  assert.equal(untouched.log.read, 0);
  for (const count of [-1, 1.5, NaN]) assert.throws(() => take(count), RangeError);
});

Deno.test("reduce() folds from the initial value", async () => {
  assert.equal(await pipe(of(1, 2, 3), reduce((sum, n) => sum + n, 10)), 16);
  assert.equal(await pipe(of<number>(), reduce((sum, n) => Promise.resolve(sum + n), 10)), 10);
});

Deno.test("batch() keeps every value in order, all batches but the last full", async () => {
  await fc.assert(fc.asyncProperty(numbers, fc.integer({ min: 1, max: 5 }), async (values, size) => {
    const batches = await pipe(of(...values), batch(size), toArray());
    assert.deepEqual(batches.flat(), values);
    assert.ok(batches.slice(0, -1).every((one) => one.length === size));
    assert.ok(batches.every((one) => one.length > 0 && one.length <= size));
  }));
  assert.throws(() => batch(0), RangeError);
});

Deno.test("dedupe() drops what was seen, by key, within what it remembers", async () => {
  await fc.assert(fc.asyncProperty(numbers, async (values) => {
    assert.deepEqual(await pipe(of(...values), dedupe(), toArray()), [...new Set(values)]);
  }));
  assert.deepEqual(await pipe(of("a", "A", "b"), dedupe((text) => text.toLowerCase()), toArray()), ["a", "b"]);
  assert.deepEqual(await pipe(of(1, 2, 1, 2, 3, 1), dedupe((n) => n, 2), toArray()), [1, 2, 3, 1]);
});

Deno.test("window() gives every full window, step by step", async () => {
  await fc.assert(
    fc.asyncProperty(
      numbers,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 6 }),
      async (values, size, step) => {
        const wanted: number[][] = [];
        for (let at = 0; at + size <= values.length; at += step) wanted.push(values.slice(at, at + size));
        assert.deepEqual(await pipe(of(...values), window(size, step), toArray()), wanted);
      },
    ),
  );
});

Deno.test("flat() gives the members of iterables and async iterables, one level deep", async () => {
  assert.deepEqual(
    await pipe(of<Iterable<unknown> | AsyncIterable<unknown>>([1, [2]], of(3), new Set([4])), flat(), toArray()),
    [
      1,
      [2],
      3,
      4,
    ],
  );
});

Deno.test("chain() gives one source after the other, and ends the current one when stopped", async () => {
  assert.deepEqual(await toArray<number>()(chain(of(1, 2), of<number>(), of(3))), [1, 2, 3]);
  const [first, second] = [counted(), counted()];
  for await (const _ of chain(first.source, second.source)) break;
  assert.deepEqual([first.log.ended, second.log.read], [true, 0]);
});

Deno.test("join() gives every value of every source, each source in its order", async () => {
  await fc.assert(fc.asyncProperty(fc.array(numbers, { maxLength: 4 }), async (sources) => {
    const got = await toArray<readonly [number, number]>()(
      join(...sources.map((values, source) => pipe(of(...values), map((value) => [source, value] as const)))),
    );
    sources.forEach((values, source) => {
      assert.deepEqual(got.filter(([from]) => from === source).map(([, value]) => value), values);
    });
  }));
});

Deno.test("join() gives values as they come, not waiting for a silent source, and ends it when stopped", async () => {
  let stopped = false;
  const silent = new Repeater<number>((_, stop) => void stop.then(() => stopped = true));
  assert.deepEqual(await pipe(join(silent, of(1, 2)), take(2), toArray()), [1, 2]);
  await Promise.resolve();
  assert.equal(stopped, true);
});

Deno.test("join() fails with the first source that does, and ends the others", async () => {
  const { log, source } = counted();
  await assert.rejects(toArray()(join(failing(), source)), /boom/);
  await source.return();
  assert.equal(log.ended, true);
});

Deno.test("groupBy() gives each key once and its values in order, however groups are read", async () => {
  await fc.assert(fc.asyncProperty(numbers, fc.boolean(), async (values, atOnce) => {
    const keyOf = (n: number) => n % 3;
    const groups = new Map<number, number[]>();
    const reading: Promise<void>[] = [];
    const read = async (key: number, group: AsyncIterable<number>) =>
      void groups.set(key, await toArray<number>()(group));
    for await (const [key, group] of groupBy(keyOf)(of(...values))) {
      if (atOnce) await read(key, group);
      else reading.push(read(key, group));
    }
    await Promise.all(reading);
    assert.deepEqual(groups, Map.groupBy(values, keyOf));
  }));
});

Deno.test("groupBy() ends the source and its groups when the stream of groups is ended", async () => {
  const { log, source } = counted();
  let kept: AsyncIterable<number> | undefined;
  for await (const [, group] of groupBy((n: number) => n % 2)(source)) {
    kept = group;
    break;
  }
  assert.equal(log.ended, true);
  assert.deepEqual(await toArray<number>()(kept ?? assert.fail()), [1]);
});

Deno.test("operators end their source when stopped early, and pass its errors on", async () => {
  const operators = [
    filter(() => true),
    map((n: number) => n),
    take<number>(9),
    batch<number>(1),
    dedupe<number>(),
    window<number>(1),
  ];
  for (const operator of operators) {
    const { log, source } = counted();
    for await (const _ of operator(source)) break;
    assert.equal(log.ended, true);
    await assert.rejects(toArray()(operator(failing())), /boom/);
  }
  await assert.rejects(toArray()(groupBy((n: number) => n)(failing())), /boom/);
  await assert.rejects(toArray()(chain(failing())), /boom/);
});
