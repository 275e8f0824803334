/** Items on a page of a list. */
const PAGE = 100;

/** The page after the item whose key is `cursor`; the first page where there is none such. Keys are unique. */
export function pageAfter<T>(
  all: readonly T[],
  keyOf: (item: T) => string,
  cursor: string | undefined,
): { readonly items: T[]; readonly nextCursor?: string } {
  const from = cursor === undefined ? 0 : all.findIndex((item) => keyOf(item) === cursor) + 1;
  const items = all.slice(from, from + PAGE);
  const last = items.at(-1);
  return { items, ...(from + PAGE < all.length && last !== undefined && { nextCursor: keyOf(last) }) };
}
