/** One source after the other. */
export async function* chain<T>(...sources: AsyncIterable<T>[]): AsyncGenerator<T, void, undefined> {
  for (const source of sources) yield* source;
}
