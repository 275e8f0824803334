import type { Operator } from "./operator.ts";

/**
 * Every value, once the stream has ended.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toArray } from "@alkdev/pubsub";
 *
 * const numbers = async function* () {
 *   yield* [1, 2];
 * };
 * assert.deepEqual(await toArray<number>()(numbers()), [1, 2]);
 * ```
 */
export function toArray<T>(): Operator<T, Promise<T[]>> {
  return async (source) => {
    const values: T[] = [];
    for await (const value of source) values.push(value);
    return values;
  };
}
