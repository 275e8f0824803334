/** Times and sizes as people read them. */

export function duration(ms: number): string {
  if (ms < 1) return "0 ms";
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round(ms % 60_000 / 1_000)} s`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h ${Math.round(ms % 3_600_000 / 60_000)} min`;
  return `${Math.floor(ms / 86_400_000)} d ${Math.round(ms % 86_400_000 / 3_600_000)} h`;
}

/** `3 min ago`, `in 2 h`. */
export function relative(at: number, now: number = Date.now()): string {
  const away = Math.abs(now - at);
  if (away < 1_500) return "just now";
  const [amount, unit] = away < 60_000
    ? [away / 1_000, "s"]
    : away < 3_600_000
    ? [away / 60_000, "min"]
    : away < 86_400_000
    ? [away / 3_600_000, "h"]
    : [away / 86_400_000, "d"];
  const text = `${Math.round(amount)} ${unit}`;
  return at > now ? `in ${text}` : `${text} ago`;
}

export function instant(at: number): string {
  return new Date(at).toLocaleString();
}

/** The start of an id, enough to tell one from another. */
export function shortId(id: string): string {
  return id.length > 13 ? `${id.slice(0, 8)}…${id.slice(-4)}` : id;
}

/** What went wrong, for people. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
