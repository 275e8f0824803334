import type { RetryPolicy } from "@alkdev/flowgraph";
import type { EventError } from "./events.ts";
import type { Random } from "./ports.ts";

/** Codes that another attempt cannot mend; a policy's `on` may name them all the same. */
const NOT_RETRIED: ReadonlySet<string> = new Set([
  "ABORTED",
  "BUDGET_EXCEEDED",
  "ACCESS_DENIED",
  "VALIDATION_ERROR",
  "OPERATION_NOT_FOUND",
  "PAYLOAD_TOO_LARGE",
]);

/** The longest that an error's `details.retryAfterMs` can put off the next attempt: a day. */
const MAX_RETRY_AFTER_MS = 86_400_000;

/** When the attempt after `attempt` is due (ms epoch), or null when there is none. */
export function nextAttemptAt(
  params: {
    readonly policy: RetryPolicy | undefined;
    readonly attempt: number;
    readonly error: EventError;
    readonly now: number;
    readonly random: Random;
  },
): number | null {
  const { policy, attempt, error, now, random } = params;
  if (policy === undefined) return null;
  const { code } = error;
  const own = policy.perCode !== undefined && Object.hasOwn(policy.perCode, code) ? policy.perCode[code] : undefined;
  const { maxAttempts, backoff, jitter } = own ?? policy;
  if (attempt >= maxAttempts) return null;
  if (own === undefined && (policy.on === undefined ? NOT_RETRIED.has(code) : !policy.on.includes(code))) return null;
  const { kind, initialMs, factor, maxMs } = backoff;
  const full = Math.min(maxMs, kind === "fixed" ? initialMs : initialMs * factor ** (attempt - 1));
  return Math.round(now + Math.max(full * (1 - jitter * random()), retryAfterMs(error)));
}

/** What the operation itself says is the earliest; 0 for nothing. */
function retryAfterMs({ details }: EventError): number {
  if (typeof details !== "object" || details === null || !("retryAfterMs" in details)) return 0;
  const ms = details.retryAfterMs;
  return typeof ms === "number" && ms > 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : 0;
}
