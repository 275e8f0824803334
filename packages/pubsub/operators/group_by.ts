import type { Operator } from "./operator.ts";

/** A key, and the values that have it, in order. */
export type Group<TKey, T> = readonly [key: TKey, values: AsyncIterable<T>];

/**
 * Gives a group when its first value comes. Groups and the stream of groups all read from the source as they are asked,
 * and keep what belongs to the others. Ending the stream of groups ends the source, and the groups after what they keep.
 */
export function groupBy<T, TKey>(
  keyOf: (value: T) => TKey,
): Operator<T, AsyncGenerator<Group<TKey, T>, void, undefined>> {
  return async function* (source) {
    const iterator = source[Symbol.asyncIterator]();
    const kept = new Map<TKey, T[]>();
    const found: Group<TKey, T>[] = [];
    let ended = false;
    let reading: Promise<void> | undefined;
    const readOne = async () => {
      try {
        const result = await iterator.next();
        if (result.done === true) ended = true;
        else route(result.value);
      } catch (error) {
        ended = true;
        throw error;
      } finally {
        reading = undefined;
      }
    };
    const read = () => reading ??= readOne();
    const route = (value: T) => {
      const key = keyOf(value);
      const values = kept.get(key);
      if (values !== undefined) return void values.push(value);
      const started = [value];
      kept.set(key, started);
      found.push([key, follow(started, () => ended ? undefined : read())]);
    };
    try {
      while (true) {
        const group = found.shift();
        if (group !== undefined) yield group;
        else if (ended) return;
        else await read();
      }
    } finally {
      if (!ended) {
        ended = true;
        await iterator.return?.();
      }
    }
  };
}

/** The values of an array that grows; `more` waits for growth, undefined when there will be none. */
async function* follow<T>(values: T[], more: () => Promise<void> | undefined): AsyncGenerator<T, void, undefined> {
  while (true) {
    for (const value of values.splice(0)) yield value;
    if (values.length > 0) continue;
    const growth = more();
    if (growth === undefined) return;
    await growth;
  }
}
