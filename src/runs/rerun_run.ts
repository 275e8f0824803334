import { CallError } from "@alkdev/operations";
import {
  compileProgram,
  InvalidPlaces,
  keptNodes,
  type Lineage,
  markFrom,
  type NodeReused,
  reusedResults,
  type RunState,
} from "../../engine/mod.ts";
import type { ForkParams, RerunParams, RerunStarted } from "./lineage_ports.ts";
import type { PreparedPlan, RunRecord } from "./ports.ts";
import { type Descent, type StartPorts, startRun } from "./start_run.ts";

/** Names one run at most this often: each is looked up in its graph. */
const MAX_FROM = 1000;
/** On every run that was made of another: the other's id. */
export const LINEAGE_LABEL = "hub.lineage";

/** A run to be made of another. */
export interface NewOfOld {
  readonly kind: Lineage["kind"];
  readonly record: RunRecord;
  readonly state: RunState;
  readonly params: RerunParams & ForkParams;
}

/** Starts a run that takes over what is still good of another; see `Runs.rerun` and `Runs.fork`. */
export async function rerunRun(ports: StartPorts, { kind, record, state, params }: NewOfOld): Promise<RerunStarted> {
  const { caller, runId, from, at, version } = params;
  const errors = fromErrors(params);
  if (errors.length > 0) {
    throw new CallError("VALIDATION_ERROR", `Cannot start from there: ${errors[0]!.message}`, { errors });
  }
  const takesOver = kind === "fork" || from !== undefined || params.fromFailed === true;
  const budget = state.created?.budget?.own ?? null;
  // The version that held at the event that is looked at.
  const pin = state.migrated ?? state.created ?? record;
  let reused = 0;
  const started = await startRun(ports, {
    workflow: record.workflow,
    version: version ?? pin.version,
    input: params.input === undefined ? state.input : params.input,
    caller,
    priority: record.priority,
    labels: withoutOwn(record.labels),
    ...(budget && { budget: budget.limits }),
  }, (prepared, wanted): Descent => {
    const reuse = takesOver ? resultsFor(state, { prepared, sameVersion: wanted === pin.version, runId, from }) : [];
    reused = reuse.length;
    return {
      lineage: { runId, kind, from: from ?? null, ...(at !== undefined && { at }) },
      reuse,
      labels: { [kind === "fork" ? "forkOf" : "rerunOf"]: runId, [LINEAGE_LABEL]: runId },
    };
  });
  return { ...started, reused };
}

function resultsFor(
  state: RunState,
  { prepared, sameVersion, runId, from = [] }: {
    readonly prepared: PreparedPlan;
    readonly sameVersion: boolean;
    readonly runId: string;
    readonly from: readonly string[] | undefined;
  },
): readonly NodeReused[] {
  const invalid = new InvalidPlaces(state);
  invalid.addUnfinished();
  const isNew = (key: string) =>
    !state.program.indexOf.has(key) && prepared.plan.nodes.some((node) => node.key === key);
  for (const [i, key] of from.entries()) {
    if (from.indexOf(key) < i) continue;
    if (!isNew(key)) markFrom(state, invalid, key, `/from/${i}`); // a node that only the new version has runs anyway
  }
  const before = (state.migrated ?? state.created)?.planHash;
  if (prepared.hash === before && sameVersion) return reusedResults(state, { runId, invalid });
  const kept = keptNodes(state.program, compileProgram(prepared.plan), { sameFunctions: sameVersion });
  return reusedResults(state, { runId, invalid, keep: (key) => kept.has(key) });
}

function fromErrors({ from, at }: RerunParams & ForkParams): { readonly path: string; readonly message: string }[] {
  const errors: { path: string; message: string }[] = [];
  if (from !== undefined && (from.length === 0 || from.length > MAX_FROM)) {
    errors.push({ path: "/from", message: `"from" must name 1 to ${MAX_FROM} nodes, it names ${from.length}` });
  }
  if (at !== undefined && (!Number.isSafeInteger(at) || at < 1)) {
    errors.push({ path: "/at", message: `"at" must be the seq of an event, 1 or more, it is ${at}` });
  }
  return errors;
}

/** What the hub has put on a run says nothing of one that is made of it. */
function withoutOwn(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).filter(([key]) => !key.startsWith("hub.") && key !== "rerunOf" && key !== "forkOf"),
  );
}
