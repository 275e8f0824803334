import type { Operator } from "./operator.ts";

/** Replaces each value by what `fn` makes of it, one after the other. */
export function map<TIn, TOut>(
  fn: (value: TIn) => TOut | Promise<TOut>,
): Operator<TIn, AsyncGenerator<TOut, void, undefined>> {
  return async function* (source) {
    for await (const value of source) yield await fn(value);
  };
}
