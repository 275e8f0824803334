import type { Operator } from "./operator.ts";

/** Keeps the values that pass. */
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
