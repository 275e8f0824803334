import type { Operator } from "./operator.ts";

/**
 * Gives the members of each value, which is an iterable or an async one, in order. One level deep.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { flat, pipe, toArray } from "@alkdev/pubsub";
 *
 * const lists = async function* () {
 *   yield* [[1, 2], [3]];
 * };
 * assert.deepEqual(await pipe(lists(), flat<number>(), toArray<number>()), [1, 2, 3]);
 * ```
 */
export function flat<T>(): Operator<Iterable<T> | AsyncIterable<T>, AsyncGenerator<T, void, undefined>> {
  return async function* (source) {
    for await (const values of source) yield* values;
  };
}
