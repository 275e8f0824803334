import { CallError } from "@alkdev/operations";

/** Why a client could not carry a call out: `down` says that nothing was sent, `lost` that it may have been carried out. */
export type UnavailableReason = "down" | "lost";

/** @param retryAfterMs when another try is worth it; null: not known */
export function unavailable(
  client: string,
  reason: UnavailableReason,
  why: string,
  retryAfterMs: number | null = null,
): CallError {
  return new CallError("UNAVAILABLE", `Client "${client}" cannot be called: ${why}`, {
    client,
    reason,
    ...(retryAfterMs !== null && { retryAfterMs: Math.max(1, Math.round(retryAfterMs)) }),
  });
}
