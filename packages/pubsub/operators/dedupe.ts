import { assertCount } from "./_assert_count.ts";
import type { Operator } from "./operator.ts";

/**
 * Drops values whose key was seen before. Only the last `remember` distinct keys are kept, so that an endless stream does
 * not fill the memory.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { dedupe, pipe, toArray } from "@alkdev/pubsub";
 *
 * const words = async function* () {
 *   yield* ["a", "B", "b"];
 * };
 * const distinct = dedupe((word: string) => word.toLowerCase());
 * assert.deepEqual(await pipe(words(), distinct, toArray<string>()), ["a", "B"]);
 * ```
 */
export function dedupe<T>(
  keyOf: (value: T) => unknown = (value) => value,
  remember = 10_000,
): Operator<T, AsyncGenerator<T, void, undefined>> {
  assertCount("Remembered keys of dedupe", remember, 1);
  return async function* (source) {
    const seen = new Set<unknown>();
    for await (const value of source) {
      const key = keyOf(value);
      if (seen.has(key)) continue;
      if (seen.size === remember) seen.delete(seen.values().next().value);
      seen.add(key);
      yield value;
    }
  };
}
