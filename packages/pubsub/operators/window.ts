import { assertCount } from "./_assert_count.ts";
import type { Operator } from "./operator.ts";

/**
 * Sliding windows of `size` values, each `step` after the one before. A window that never fills is not given.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { pipe, toArray, window } from "@alkdev/pubsub";
 *
 * const numbers = async function* () {
 *   yield* [1, 2, 3];
 * };
 * assert.deepEqual(await pipe(numbers(), window<number>(2), toArray<number[]>()), [[1, 2], [2, 3]]);
 * ```
 */
export function window<T>(size: number, step = 1): Operator<T, AsyncGenerator<T[], void, undefined>> {
  assertCount("Size of window", size, 1);
  assertCount("Step of window", step, 1);
  return async function* (source) {
    let values: T[] = [];
    let skip = 0;
    for await (const value of source) {
      if (skip > 0) {
        skip--;
        continue;
      }
      values.push(value);
      if (values.length < size) continue;
      yield values;
      skip = Math.max(0, step - size);
      values = values.slice(step);
    }
  };
}
