import { assertCount } from "./_assert_count.ts";
import type { Operator } from "./operator.ts";

/** Arrays of `size` values; the last may be shorter. */
export function batch<T>(size: number): Operator<T, AsyncGenerator<T[], void, undefined>> {
  assertCount("Size of batch", size, 1);
  return async function* (source) {
    let values: T[] = [];
    for await (const value of source) {
      values.push(value);
      if (values.length < size) continue;
      yield values;
      values = [];
    }
    if (values.length > 0) yield values;
  };
}
