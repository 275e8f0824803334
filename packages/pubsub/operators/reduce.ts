import type { Operator } from "./operator.ts";

/** Folds the stream into one value. */
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
