import { assertCount } from "./_assert_count.ts";
import type { Operator } from "./operator.ts";

/** Sliding windows of `size` values, each `step` after the one before. A window that never fills is not given. */
export function window<T>(size: number, step = 1): Operator<T, AsyncGenerator<T[], void, undefined>> {
  assertCount("Size of window", size, 1);
  assertCount("Step of window", step, 1);
  return async function* (source) {
    let values: T[] = [];
    let skip = 0;
    for await (const value of source) {
      if (skip > 0) {
        skip--;
        continue;
      }
      values.push(value);
      if (values.length < size) continue;
      yield values;
      skip = Math.max(0, step - size);
      values = values.slice(step);
    }
  };
}
