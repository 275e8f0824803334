import type { Operator } from "./operator.ts";

/** Gives the members of each value, which is an iterable or an async one, in order. One level deep. */
export function flat<T>(): Operator<Iterable<T> | AsyncIterable<T>, AsyncGenerator<T, void, undefined>> {
  return async function* (source) {
    for await (const values of source) yield* values;
  };
}
