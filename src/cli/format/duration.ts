/** A duration for people, from ms: `12 ms`, `3.4 s`, `2 m 5 s`, `1 h 4 m`, `3 d 2 h`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return pair(whole, 60, "m", 1, "s");
  if (whole < 86_400) return pair(whole, 3_600, "h", 60, "m");
  return pair(whole, 86_400, "d", 3_600, "h");
}

function pair(seconds: number, big: number, bigUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor(seconds % big / small);
  return `${Math.floor(seconds / big)} ${bigUnit}${rest === 0 ? "" : ` ${rest} ${smallUnit}`}`;
}

/** How long ago, for people: `just now`, `5 m ago`. */
export function formatAge(then: number, now: number): string {
  const ms = now - then;
  return ms < 1_000 ? "just now" : `${formatDuration(ms)} ago`;
}
