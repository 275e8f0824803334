import { InvalidInputError } from "../error/taskgraph_error.ts";
import type { EvConfig, EvResult } from "../schema/results.ts";

/**
 * What a task is expected to cost, in units of scope cost (or of worth, with a `valueRate`).
 *
 * @param p how likely it is to succeed, 0 to 1
 * @throws {InvalidInputError} when `p` is not from 0 to 1
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { calculateTaskEv } from "@alkdev/taskgraph";
 *
 * const { ev, expectedRetries } = calculateTaskEv(0.5, 2, 1, { fallbackCost: 4 });
 * assert.deepEqual([ev, expectedRetries], [0.5 * 2 + 0.5 * (2 + 4), 1]);
 * ```
 */
export function calculateTaskEv(p: number, scopeCost: number, impactWeight: number, config: EvConfig = {}): EvResult {
  if (!(p >= 0 && p <= 1)) throw new InvalidInputError("p", `Cannot weigh with p as ${p}: wanted a number from 0 to 1`);
  const { retries = 0, fallbackCost = 0, timeLost = 0, valueRate = 0 } = config;
  const wanted = (1 - p) / p;
  const expectedRetries = retries > 0 ? Math.min(wanted, retries) : wanted;
  const success = scopeCost * impactWeight;
  // Retries without end cost nothing when no time is lost with them: 0 × ∞ would be NaN.
  const failure = success + fallbackCost + (timeLost === 0 ? 0 : timeLost * expectedRetries);
  const ev = p * success + (1 - p) * failure;
  return { ev: valueRate === 0 ? ev : ev * valueRate, pSuccess: p, expectedRetries };
}
