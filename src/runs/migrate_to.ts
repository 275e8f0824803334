import { diffPlans } from "@alkdev/flowgraph";
import { CallError } from "@alkdev/operations";
import { compileProgram, foldRun, refusals, type RunEvent, type RunState } from "../../engine/mod.ts";
import type { Migration, MigrationReason } from "./lineage_ports.ts";
import type { PreparedPlan, WorkflowVersion } from "./ports.ts";

/** What a move of a run to another version would be, and the plan it would get. */
export interface MigrationPlan {
  readonly migration: Migration;
  /** Null: there is none for the run's input. */
  readonly prepared: PreparedPlan | null;
}

/** Looks at a run as its log has it, and as the log would be under another version. Nothing is changed. */
export function planMigration(
  { state, events, from, target }: {
    readonly state: RunState;
    readonly events: readonly RunEvent[];
    /** The run's version. */
    readonly from: string;
    readonly target: WorkflowVersion;
  },
): MigrationPlan {
  const runId = state.created?.runId ?? "";
  const head = { runId, from, to: target.version, migrated: false };
  const prepared = prepare(state, target);
  if ("reason" in prepared) {
    const none = diffPlans(state.program.plan, state.program.plan, { sameFunctions: true });
    return { migration: { ...head, allowed: false, reasons: [prepared], diff: none }, prepared: null };
  }
  const sameFunctions = from === target.version;
  const diff = diffPlans(state.program.plan, prepared.plan, { sameFunctions });
  const reasons: MigrationReason[] = sameFunctions
    ? [{ key: null, reason: `It is on version "${target.version}" already` }]
    : [...refusals(state, foldRun(compileProgram(prepared.plan, prepared.functions), events), { sameFunctions })];
  return { migration: { ...head, allowed: reasons.length === 0, reasons, diff }, prepared };
}

/** The input stays what it is: the new version must take it as it stands. */
function prepare(state: RunState, target: WorkflowVersion): PreparedPlan | MigrationReason {
  try {
    target.decodeInput(state.input);
    return target.plan(state.input);
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    return { key: null, reason: `The new version does not take the run's input: ${error.message}` };
  }
}
