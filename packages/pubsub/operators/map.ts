import type { Operator } from "./operator.ts";

/**
 * Replaces each value by what `fn` makes of it, one after the other.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { map, pipe, toArray } from "@alkdev/pubsub";
 *
 * const numbers = async function* () {
 *   yield* [1, 2];
 * };
 * assert.deepEqual(await pipe(numbers(), map((n: number) => n * 10), toArray<number>()), [10, 20]);
 * ```
 */
export function map<TIn, TOut>(
  fn: (value: TIn) => TOut | Promise<TOut>,
): Operator<TIn, AsyncGenerator<TOut, void, undefined>> {
  return async function* (source) {
    for await (const value of source) yield await fn(value);
  };
}
