/** Milliseconds, or a string such as `"250ms"`, `"30s"`, `"5m"`, `"2h"`, `"1d"`, also joined: `"1h30m"`. */
export type Duration = number | string;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a {@linkcode Duration}, or null when it is not one (negative and infinite ones are not). */
export function parseDuration(value: unknown): number | null {
  if (typeof value === "number") return Number.isFinite(value) && value >= 0 ? value : null;
  if (typeof value !== "string" || !/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(value)) return null;
  let ms = 0;
  for (const [, amount, unit] of value.matchAll(/([\d.]+)([a-z]+)/g)) {
    ms += Number(amount) * (UNIT_MS[unit ?? ""] ?? NaN);
  }
  return Number.isFinite(ms) ? ms : null;
}
