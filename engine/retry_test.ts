import assert from "node:assert/strict";
import type { RetryPolicy } from "@alkdev/flowgraph";
import { nextAttemptAt } from "./retry.ts";

const backoff = { kind: "fixed", initialMs: 100, factor: 1, maxMs: 1_000 } as const;
const POLICY: RetryPolicy = {
  maxAttempts: 3,
  backoff,
  jitter: 0,
  on: ["FLAKY"],
  perCode: {
    RATE_LIMITED: { maxAttempts: 10, backoff: { ...backoff, initialMs: 5 }, jitter: 0 },
    VALIDATION_ERROR: { maxAttempts: 1, backoff, jitter: 0 },
  },
};

function next(code: string, attempt = 1, details?: { readonly retryAfterMs: number }): number | null {
  const error = { code, message: "no", ...(details !== undefined && { details }) };
  return nextAttemptAt({ policy: POLICY, attempt, error, now: 1_000, random: () => 0.5 });
}

Deno.test("nextAttemptAt() takes a code's own policy instead of the general one, whatever on says", () => {
  assert.deepEqual([next("FLAKY", 2), next("FLAKY", 3), next("OTHER")], [1_100, null, null]);
  assert.deepEqual([next("RATE_LIMITED", 9), next("RATE_LIMITED", 10), next("VALIDATION_ERROR")], [1_005, null, null]);
  assert.equal(next("constructor"), null);
});

Deno.test("nextAttemptAt() waits at least as long as the error says, and at most a day for that", () => {
  assert.equal(next("FLAKY", 1, { retryAfterMs: 700 }), 1_700);
  assert.equal(next("FLAKY", 1, { retryAfterMs: 7 }), 1_100);
  assert.equal(next("FLAKY", 1, { retryAfterMs: 1e300 }), 1_000 + 86_400_000);
  assert.equal(next("FLAKY", 1, { retryAfterMs: NaN }), 1_100);
  assert.equal(next("FLAKY", 3, { retryAfterMs: 700 }), null);
});
