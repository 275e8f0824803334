import type { Draft } from "./draft.ts";

/** What finding a tested node needs to know. */
export interface TestedContext {
  readonly drafts: readonly Draft[];
  readonly byKey: ReadonlyMap<string, number>;
  /** Indices of operations by id, ascending; made when first needed. */
  readonly operations: { byId: ReadonlyMap<string, readonly number[]> | null };
}

/**
 * The key of the node that a Conditional's string `test` means: the node of that key, else the operation of that id that
 * stands nearest before the Conditional, else the first one after it. A name that is neither is given back, and found to be
 * unknown when references are resolved.
 */
export function findTested(index: number, name: string, context: TestedContext): string {
  const { drafts, byKey, operations } = context;
  if (byKey.has(name)) return name;
  operations.byId ??= indexOperations(drafts);
  const places = operations.byId.get(name) ?? [];
  const end = drafts[index]?.end ?? index + 1;
  const tested = places[countBelow(places, index) - 1] ?? places[countBelow(places, end)] ?? places[0];
  return tested === undefined ? name : drafts[tested]?.key ?? name;
}

function indexOperations(drafts: readonly Draft[]): Map<string, number[]> {
  const byId = new Map<string, number[]>();
  for (let i = 0; i < drafts.length; i++) {
    const draft = drafts[i];
    if (draft?.tag !== "operation" || typeof draft.props.name !== "string") continue;
    const places = byId.get(draft.props.name);
    if (places) places.push(i);
    else byId.set(draft.props.name, [i]);
  }
  return byId;
}

/** How many of the ascending numbers are below the limit. */
function countBelow(numbers: readonly number[], limit: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? Infinity) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
