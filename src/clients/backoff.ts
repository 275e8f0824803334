const FIRST_MS = 500;
const MAX_MS = 60_000;

/** Ms until the next try after `failures` in a row (1 or more): doubled each time, up to a minute, with a fifth of chance. */
export function backoffMs(failures: number, random: () => number): number {
  const full = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(failures - 1, 20));
  return Math.round(full * (0.8 + 0.2 * random()));
}
