import type { Mutant } from "./mutant.ts";
import { Violation } from "./history.ts";
import { World } from "./world.ts";

/** What one seed gave. */
export interface Outcome {
  readonly seed: number;
  /** Null: every invariant held. */
  readonly failure: { readonly invariant: string; readonly message: string; readonly runId: string | null } | null;
  readonly digest: string;
  readonly steps: number;
  readonly events: number;
  readonly staleStarts: number;
  /** How often what happened: event types, faults, requests. */
  readonly tally: ReadonlyMap<string, number>;
  /** Kept on demand. */
  readonly history: readonly string[] | null;
}

/** Plays one seed to its end. */
export async function simulate(
  seed: number,
  options: { readonly keepHistory?: boolean; readonly mutant?: Mutant } = {},
): Promise<Outcome> {
  const restore = options.mutant?.install();
  const world = new World(seed, options);
  let failure: Outcome["failure"] = null;
  try {
    await world.run();
  } catch (error) {
    failure = error instanceof Violation
      ? { invariant: error.invariant, message: error.message, runId: error.runId }
      : {
        invariant: "crash",
        message: error instanceof Error ? error.stack ?? error.message : String(error),
        runId: null,
      };
  } finally {
    restore?.();
  }
  return {
    seed,
    failure,
    digest: world.history.digest,
    steps: world.steps,
    events: world.checker.events,
    tally: world.tally.counts,
    staleStarts: world.checker.staleStarts,
    history: world.history.lines,
  };
}
