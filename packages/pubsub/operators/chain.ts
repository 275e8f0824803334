/**
 * One source after the other.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { chain, toArray } from "@alkdev/pubsub";
 *
 * const upTo = async function* (end: number) {
 *   for (let n = 1; n <= end; n++) yield n;
 * };
 * assert.deepEqual(await toArray<number>()(chain(upTo(2), upTo(1))), [1, 2, 1]);
 * ```
 */
export async function* chain<T>(...sources: AsyncIterable<T>[]): AsyncGenerator<T, void, undefined> {
  for (const source of sources) yield* source;
}
