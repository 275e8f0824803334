const FIRST_MS = 100;

/**
 * Wait before attempt `attempt` (0, 1, 2 …) to connect again: between half and all of a bound that doubles, so that spokes
 * that lost the same hub do not come back at once.
 */
export function backoffMs(attempt: number, maxMs: number, random: () => number): number {
  const bound = Math.min(maxMs, FIRST_MS * 2 ** Math.min(attempt, 20));
  return bound / 2 + random() * bound / 2;
}
