import type { Chance } from "./random.ts";

/** How this world is: drawn once per seed. */
export interface Profile {
  readonly hubs: number;
  readonly workflows: number;
  readonly leaves: number;
  readonly requests: number;
  /** Upper limits of delays, ms. */
  readonly commitMs: number;
  /** Commits under way at once. */
  readonly commitConcurrency: number;
  readonly networkMs: number;
  readonly loss: number;
  readonly duplication: number;
  /** Chance of a fault per commit. */
  readonly commitFault: number;
  readonly commitFaults: number;
  readonly plannedFaults: number;
  /** Requests and planned faults come within this time, ms. */
  readonly horizonMs: number;
  /** Null: the engine's own. */
  readonly maxInFlight: number | null;
  readonly maxLiveRuns: number | null;
  readonly restartAtEnd: boolean;
}

export function drawProfile(chance: Chance): Profile {
  const calm = chance.is(0.15);
  return {
    hubs: chance.pick([1, 1, 2, 2, 3]),
    workflows: chance.int(1, 2),
    leaves: chance.pick([1, 3, 5, 8, 8, 14]),
    requests: chance.int(1, 9),
    commitMs: chance.pick([0, 1, 4, 30]),
    commitConcurrency: chance.pick([1, 2, 2, 3]),
    networkMs: chance.pick([0, 2, 10, 60]),
    loss: calm ? 0 : chance.pick([0, 0.05, 0.3]),
    duplication: calm ? 0 : chance.pick([0, 0.1, 0.4]),
    commitFault: calm ? 0 : chance.pick([0, 0.05, 0.2]),
    commitFaults: 6,
    plannedFaults: calm ? 0 : chance.int(0, 5),
    horizonMs: chance.pick([10, 100, 800, 3_000]),
    maxInFlight: chance.is(0.15) ? chance.int(1, 3) : null,
    maxLiveRuns: chance.is(0.05) ? chance.int(1, 2) : null,
    restartAtEnd: !calm && chance.is(0.4),
  };
}
