import { CallError } from "@alkdev/operations";
import type { Engine, EventLog, EventOf, ParentCall } from "../../engine/mod.ts";
import type { RunStore } from "./ports.ts";
import { levelOf } from "./run_budget.ts";

type Created = EventOf<"run.created">;

/** Runs inside runs at most. */
const MAX_DEPTH = 32;

/**
 * The first event of a run below which another is to start. It may have ended, but not by an abort.
 *
 * @throws CallError RUN_NOT_FOUND, also for another organization's; ABORTED
 */
export async function parentOf(
  { engine, log, store }: {
    readonly engine: Pick<Engine, "live">;
    readonly log: EventLog;
    readonly store: Pick<RunStore, "get">;
  },
  { orgId, parent: { runId } }: { readonly orgId: string; readonly parent: ParentCall },
): Promise<Created> {
  const state = engine.live(runId)?.state ?? null;
  const first = state?.created ?? (await log.read({ runId, limit: 1 }))[0];
  if (first?.type !== "run.created" || first.caller.orgId !== orgId) {
    throw new CallError("RUN_NOT_FOUND", `There is no run "${runId}"`, { runId });
  }
  const isAborted = state === null
    ? (await store.get({ orgId, runId }))?.status === "aborted"
    : state.terminal?.type === "run.aborted";
  if (isAborted) throw new CallError("ABORTED", `Cannot start a run below run ${runId}: that was aborted`, { runId });
  return first;
}

/** How many runs a run stands below that starts below `parent`. @throws CallError DEPTH_EXCEEDED */
export function levelBelow(parent: Pick<Created, "labels"> | null, workflow: string): number {
  const depth = (parent === null ? 0 : levelOf(parent)) + 1;
  if (depth <= MAX_DEPTH) return depth;
  throw new CallError(
    "DEPTH_EXCEEDED",
    `Cannot start workflow "${workflow}": runs are nested ${depth} deep, the limit is ${MAX_DEPTH}`,
  );
}
