import { CallError } from "@alkdev/operations";
import type { ActiveRun } from "./active_run.ts";
import type { RunEvent } from "./events.ts";
import { type Refusal, refusals } from "./lineage/refusals.ts";
import type { Program } from "./program.ts";
import { foldRun } from "./state/fold_run.ts";
import type { PlanPin } from "./state/plan_pin.ts";

/** The version that a run is to be moved to. */
export interface MigrateTo {
  readonly version: string;
  readonly planHash: string;
  readonly by: string;
}

/**
 * Moves a live run: folds its log under the new plan, sees that the run stands there as it stands here, and lets the driver go on
 * from the new state. What happens while the log is read is folded in after it; between that and the event nothing awaits.
 *
 * Gives what speaks against it; null: the run has ended meanwhile. @throws CallError MIGRATION_REFUSED when one is under way
 */
export async function migrateRun(
  run: ActiveRun,
  to: MigrateTo,
  ports: {
    readonly program: (pin: PlanPin) => Promise<Program>;
    readonly read: () => Promise<readonly RunEvent[]>;
    readonly durable: () => Promise<void>;
  },
): Promise<readonly Refusal[] | null> {
  const { created } = run.state;
  if (created === null) return null;
  if (run.tail !== null) {
    throw new CallError("MIGRATION_REFUSED", `Cannot migrate run ${run.id}: another migration of it is under way`, {
      reasons: [],
    });
  }
  const from = run.state.migrated ?? created;
  const tail: RunEvent[] = [];
  const upTo = run.seq;
  run.tail = tail;
  try {
    const { runId, workflow, input } = created;
    const program = await ports.program({ runId, workflow, version: to.version, planHash: to.planHash, input });
    await ports.durable();
    const events = (await ports.read()).filter(({ seq }) => seq <= upTo);
    run.calls.announceSent(); // so that both states know all that has begun
    if (run.state.terminal !== null) return null;
    const state = foldRun(program, [...events, ...tail]);
    const reasons = refusals(run.state, state, { sameFunctions: from.version === to.version });
    if (reasons.length > 0) return reasons;
    run.moveTo(state);
  } finally {
    run.tail = null;
  }
  run.emit({ type: "run.migrated", ...to, from: { version: from.version, planHash: from.planHash } });
  return [];
}
