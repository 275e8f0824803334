const FIRST_MS = 200;

/** Wait before attempt `attempt` (0, 1, 2 …) to connect again: random up to a bound that doubles, so that spokes spread out. */
export function backoffMs(attempt: number, maxMs: number, random: () => number): number {
  return random() * Math.min(maxMs, FIRST_MS * 2 ** Math.min(attempt, 20));
}
