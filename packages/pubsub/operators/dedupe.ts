import { assertCount } from "./_assert_count.ts";
import type { Operator } from "./operator.ts";

/**
 * Drops values whose key was seen before. Only the last `remember` distinct keys are kept, so that an endless stream does
 * not fill the memory.
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
