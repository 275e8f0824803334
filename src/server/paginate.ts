import { CallError } from "@alkdev/operations";
import type { Page } from "../runs/mod.ts";

/** A page of a list that is in memory, in order of `idOf`. The cursor is the last id of the page before. */
export function paginate<T>(
  items: readonly T[],
  idOf: (item: T) => string,
  query: { readonly limit: number; readonly cursor?: string },
): Page<T> {
  const sorted = items.toSorted((a, b) => compare(idOf(a), idOf(b)));
  const after = query.cursor === undefined ? null : decodeCursor(query.cursor);
  const rest = after === null ? sorted : sorted.filter((item) => compare(idOf(item), after) > 0);
  const page = rest.slice(0, query.limit);
  const last = page.at(-1);
  return {
    items: page,
    nextCursor: last === undefined || rest.length <= page.length ? null : encodeCursor(idOf(last)),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function encodeCursor(id: string): string {
  return encodeURIComponent(id);
}

function decodeCursor(cursor: string): string {
  try {
    return decodeURIComponent(cursor);
  } catch {
    const message = `is "${cursor}": wanted the nextCursor of a page`;
    throw new CallError("VALIDATION_ERROR", `Query parameter "cursor" ${message}`, {
      errors: [{ path: "?cursor", message }],
    });
  }
}
