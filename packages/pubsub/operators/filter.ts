import type { Operator } from "./operator.ts";

/**
 * Keeps the values that pass.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { chain, filter, toArray } from "@alkdev/pubsub";
 *
 * const numbers = async function* () {
 *   yield* [1, 2, 3];
 * };
 * assert.deepEqual(await toArray<number>()(filter((n: number) => n > 1)(chain(numbers()))), [2, 3]);
 * ```
 */
export function filter<T, TKept extends T>(
  predicate: (value: T) => value is TKept,
): Operator<T, AsyncGenerator<TKept, void, undefined>>;
export function filter<T>(
  predicate: (value: T) => boolean | Promise<boolean>,
): Operator<T, AsyncGenerator<T, void, undefined>>;
export function filter<T>(
  predicate: (value: T) => boolean | Promise<boolean>,
): Operator<T, AsyncGenerator<T, void, undefined>> {
  return async function* (source) {
    for await (const value of source) {
      if (await predicate(value)) yield value;
    }
  };
}
