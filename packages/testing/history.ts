import { compileProgram, type Divergence, replayLog, type RunEvent } from "@alkdev/engine";
import type { Plan } from "@alkdev/flowgraph";
import { prepareRun, type TestableWorkflow } from "./prepare_run.ts";

/** A run as data: what `WorkflowRun.history` gives, and what a hub exports. Further fields are left alone. */
export interface RunHistory {
  readonly run: {
    readonly id: string;
    readonly workflow: string;
    readonly version: string;
    readonly status: string;
  };
  readonly plan: Plan;
  readonly events: readonly RunEvent[];
}

/** What a replay looks at: a {@linkcode RunHistory}, or the JSON that one was saved as. */
export interface SavedHistory {
  readonly events: readonly object[];
}

/** Whether a template would still have written a history. */
export interface ReplayResult {
  readonly same: boolean;
  /** Where it would not, the first first; what can only follow from that is left out. */
  readonly divergences: readonly Divergence[];
}

/**
 * Holds a recorded history against a template as it is now: its nodes, calls, inputs, conditions, retries, waits and output.
 * Nothing is called.
 *
 * @throws TypeError when it is no history
 */
export function replay(workflow: TestableWorkflow, history: SavedHistory): ReplayResult {
  const events = readEvents(history);
  const [created] = events;
  if (created?.type !== "run.created") {
    throw new TypeError('Cannot replay: "events" must begin with "run.created"');
  }
  let prepared;
  try {
    prepared = prepareRun(workflow, created.input);
  } catch (error) {
    const message = `The template refuses this input now: ${error instanceof Error ? error.message : String(error)}`;
    return { same: false, divergences: [{ seq: 1, type: created.type, key: null, message, recorded: created.input }] };
  }
  const divergences = replayLog(compileProgram(prepared.plan, prepared.functions), events);
  return { same: divergences.length === 0, divergences };
}

/** What a hub wrote is trusted in its details, as the engine trusts its log. */
function readEvents({ events }: SavedHistory): readonly RunEvent[] {
  return events.map((event, i) => {
    if (isEvent(event) && event.seq === i + 1) return event;
    throw new TypeError(`Cannot replay: "events[${i}]" is no event with seq ${i + 1}`);
  });
}

function isEvent(value: object): value is RunEvent {
  return "type" in value && typeof value.type === "string" && "seq" in value && "at" in value;
}
