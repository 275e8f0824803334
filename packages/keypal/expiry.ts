import type { ApiKeyMetadata } from "./api_key_record.ts";

/** When a key expires; null: never, or the stored instant cannot be read. */
export function getExpirationTime(expiresAt: string | null | undefined): Date | null {
  if (expiresAt === null || expiresAt === undefined) return null;
  const time = Date.parse(expiresAt);
  return Number.isNaN(time) ? null : new Date(time);
}

/** Whether a key has expired at `nowMs`. An instant that cannot be read counts as past: a broken limit is no licence. */
export function isExpired(expiresAt: ApiKeyMetadata["expiresAt"], nowMs: number = Date.now()): boolean {
  if (expiresAt === null || expiresAt === undefined) return false;
  const time = Date.parse(expiresAt);
  return Number.isNaN(time) || time <= nowMs;
}
