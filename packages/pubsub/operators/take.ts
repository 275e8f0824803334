import { assertCount } from "./_assert_count.ts";
import type { Operator } from "./operator.ts";

/**
 * The first `count` values; then ends the source, without asking it for one more.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { pipe, take, toArray } from "@alkdev/pubsub";
 *
 * const endless = async function* () {
 *   for (let n = 1;; n++) yield n;
 * };
 * assert.deepEqual(await pipe(endless(), take<number>(2), toArray<number>()), [1, 2]);
 * ```
 */
export function take<T>(count: number): Operator<T, AsyncGenerator<T, void, undefined>> {
  assertCount("Count of take", count, 0);
  return async function* (source) {
    let left = count;
    if (left === 0) return;
    for await (const value of source) {
      yield value;
      if (--left === 0) return;
    }
  };
}
