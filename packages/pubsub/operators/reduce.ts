import type { Operator } from "./operator.ts";

/**
 * Folds the stream into one value.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { pipe, reduce } from "@alkdev/pubsub";
 *
 * const numbers = async function* () {
 *   yield* [1, 2, 3];
 * };
 * assert.equal(await pipe(numbers(), reduce((sum: number, n: number) => sum + n, 0)), 6);
 * ```
 */
export function reduce<T, TResult>(
  fn: (result: TResult, value: T) => TResult | Promise<TResult>,
  initial: TResult,
): Operator<T, Promise<TResult>> {
  return async (source) => {
    let result = initial;
    for await (const value of source) result = await fn(result, value);
    return result;
  };
}
