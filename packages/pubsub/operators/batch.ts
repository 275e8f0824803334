import { assertCount } from "./_assert_count.ts";
import type { Operator } from "./operator.ts";

/**
 * Arrays of `size` values; the last may be shorter.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { batch, pipe, toArray } from "@alkdev/pubsub";
 *
 * const numbers = async function* () {
 *   yield* [1, 2, 3];
 * };
 * assert.deepEqual(await pipe(numbers(), batch<number>(2), toArray<number[]>()), [[1, 2], [3]]);
 * ```
 */
export function batch<T>(size: number): Operator<T, AsyncGenerator<T[], void, undefined>> {
  assertCount("Size of batch", size, 1);
  return async function* (source) {
    let values: T[] = [];
    for await (const value of source) {
      values.push(value);
      if (values.length < size) continue;
      yield values;
      values = [];
    }
    if (values.length > 0) yield values;
  };
}
