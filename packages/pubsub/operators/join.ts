type Arrival<T> =
  | { readonly from: AsyncIterator<T>; readonly result: IteratorResult<T> }
  | { readonly from: AsyncIterator<T>; readonly error: unknown };

/**
 * All sources at once, each value as it comes. Ends with the last source; fails with the first that does.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { join, toArray } from "@alkdev/pubsub";
 *
 * const upTo = async function* (end: number) {
 *   for (let n = 1; n <= end; n++) yield n;
 * };
 * assert.equal((await toArray<number>()(join(upTo(2), upTo(3)))).length, 5);
 * ```
 */
export async function* join<T>(...sources: AsyncIterable<T>[]): AsyncGenerator<T, void, undefined> {
  const open = new Set(sources.map((source) => source[Symbol.asyncIterator]()));
  const arrivals: Arrival<T>[] = [];
  let wake: (() => void) | undefined;
  const arrive = (arrival: Arrival<T>) => {
    arrivals.push(arrival);
    wake?.();
  };
  const ask = (from: AsyncIterator<T>) => {
    from.next().then((result) => arrive({ from, result }), (error) => arrive({ from, error }));
  };
  try {
    for (const iterator of open) ask(iterator);
    while (open.size > 0) {
      const arrival = arrivals.shift();
      if (arrival === undefined) {
        await new Promise<void>((resolve) => wake = resolve);
        continue;
      }
      if ("error" in arrival || arrival.result.done === true) open.delete(arrival.from);
      if ("error" in arrival) throw arrival.error;
      if (arrival.result.done === true) continue;
      yield arrival.result.value;
      ask(arrival.from);
    }
  } finally {
    // Not awaited: a generator that is waiting for its own source would answer only after that.
    for (const iterator of open) Promise.resolve(iterator.return?.()).catch(() => {});
  }
}
