import { CallError } from "@alkdev/operations";
import type { Plan } from "@alkdev/flowgraph";
import {
  closing,
  compileProgram,
  type EventOf,
  foldRun,
  isTerminalType,
  planPin,
  publicCounts,
  type RunState,
  type Terminal,
} from "../../engine/mod.ts";
import type { RunEvent } from "../runs/mod.ts";
import { invalid } from "./read_export.ts";
import type { RunExport } from "./run_export.ts";
import { sameJson } from "./same_json.ts";

/** What was recorded was once within the limits of some hub. */
const UNLIMITED = { maxBytes: Infinity, maxDepth: 10_000 };

/** What a run that was checked consists of. */
export interface CheckedRun {
  readonly created: EventOf<"run.created">;
  readonly events: readonly RunEvent[];
  readonly plans: ReadonlyMap<string, Plan>;
}

/**
 * Folds an export, and works out again how it must have ended.
 *
 * @param hashOf The name of a plan, from its JSON text.
 * @throws CallError VALIDATION_ERROR where a log does not lead to its own end, or a plan is not what its hash says
 */
export function checkExport(exported: RunExport, hashOf: (text: string) => string, path: string = ""): CheckedRun {
  const { events, plan, plans: later = {} } = exported;
  const created = events[0];
  const last = events.at(-1);
  if (created?.type !== "run.created" || last === undefined) throw invalid(`${path}/events`, "There are no events");
  if (!isTerminalType(last.type)) {
    throw invalid(`${path}/events`, "The run has not ended: only runs that have are imported");
  }
  const plans = new Map<string, Plan>([[created.planHash, plan], ...Object.entries(later)]);
  for (const [hash, one] of plans) {
    if (hashOf(JSON.stringify(one)) !== hash) {
      throw invalid(`${path}/plan`, `The plan is not the one with hash "${hash}"`);
    }
  }
  const program = plans.get(planPin(events)?.planHash ?? "");
  if (program === undefined) throw invalid(`${path}/plans`, "A plan that an event names is missing");
  let state: RunState;
  try {
    state = foldRun(compileProgram(program), events.slice(0, -1));
    if (state.terminal !== null) throw new Error("the run goes on after its end");
    checkEnd(state, last as Terminal);
    state.apply(last);
  } catch (error) {
    if (error instanceof CallError && error.code === "VALIDATION_ERROR") throw error;
    throw invalid(`${path}/events`, `The log does not fold: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (state.status !== exported.run.status) {
    throw invalid(`${path}/run/status`, `Status is "${exported.run.status}": the log says "${state.status}"`);
  }
  return { created, events, plans };
}

/** What ended a run from outside is believed; how it ended by itself must follow from its log. */
function checkEnd(state: RunState, last: Terminal): void {
  if (!sameJson(last.counts, publicCounts(state))) throw new Error("the counts of its end are not those of its nodes");
  const isOutside = last.type === "run.aborted" ||
    (last.type === "run.failed" && last.error.code === "BUDGET_EXCEEDED" && last.error.nodeKey === null);
  // An output that could not be recorded: how large it might be is a setting of the hub.
  if (isOutside || (state.finished && last.type === "run.failed" && last.error.nodeKey === null)) return;
  if (!state.finished) throw new Error(`it ends with ${last.type}, and its nodes have not ended`);
  const expected = closing(state, UNLIMITED);
  if (expected.type !== last.type) throw new Error(`it ends with ${last.type}, its nodes lead to ${expected.type}`);
  if (expected.type !== "run.completed" || last.type !== "run.completed") return;
  if (!sameJson(expected.output, last.output)) throw new Error("its output is not the one that its nodes lead to");
}
