import { CallError } from "@alkdev/operations";
import type { ActiveRun } from "./active_run.ts";
import type { NewRun, Started } from "./engine_options.ts";

/** Whether a run starts and goes on before its events are durable. What must be unique, or let in, has to wait for that. */
export function goesAhead({ durability, idempotencyKey, gate, reuse }: NewRun): boolean {
  return durability === "after" && idempotencyKey === undefined && gate === undefined && reuse === undefined;
}

/** Resolves when the run's first event is durable, or at once where nobody waits for that. */
export function startOutcome(run: ActiveRun): Promise<Started> {
  const { id } = run;
  if (run.isAhead) {
    run.onCreated = () => {};
    return Promise.resolve({ runId: id, duplicate: false });
  }
  return new Promise<Started>((resolve, reject) => {
    run.onCreated = (duplicateOf) =>
      duplicateOf === "" // fenced before it was durable
        ? reject(
          new CallError("OVERLOADED", "Cannot start a run now: the hub has lost its lease", { retryAfterMs: 1000 }),
        )
        : resolve({ runId: duplicateOf ?? id, duplicate: duplicateOf !== null });
  });
}
