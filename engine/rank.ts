/**
 * How long one point of priority lasts, in ms: a call of priority 10 goes before what has waited up to 10 s longer. So who
 * waits gains on all that come later, and nothing starves, whatever comes after it.
 */
export const AGEING_MS = 1_000;

/** Place in a line: the lowest is next. It never changes, as all that wait age at the same pace. `at` is ms since the epoch. */
export function rankOf(at: number, priority: number): number {
  return at - priority * AGEING_MS;
}
