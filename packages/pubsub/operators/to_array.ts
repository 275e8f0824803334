import type { Operator } from "./operator.ts";

/** Every value, once the stream has ended. */
export function toArray<T>(): Operator<T, Promise<T[]>> {
  return async (source) => {
    const values: T[] = [];
    for await (const value of source) values.push(value);
    return values;
  };
}
