import type { RetryPolicy } from "@alkdev/flowgraph";
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

/** When the attempt after `attempt` is due (ms epoch), or null when there is none. */
export function nextAttemptAt(
  params: {
    readonly policy: RetryPolicy | undefined;
    readonly attempt: number;
    readonly code: string;
    readonly now: number;
    readonly random: Random;
  },
): number | null {
  const { policy, attempt, code, now, random } = params;
  if (policy === undefined || attempt >= policy.maxAttempts) return null;
  if (policy.on === undefined ? NOT_RETRIED.has(code) : !policy.on.includes(code)) return null;
  const { kind, initialMs, factor, maxMs } = policy.backoff;
  const full = Math.min(maxMs, kind === "fixed" ? initialMs : initialMs * factor ** (attempt - 1));
  return Math.round(now + full * (1 - policy.jitter * random()));
}
