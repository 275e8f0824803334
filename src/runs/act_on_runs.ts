/** One action on many runs. */
import { CallError } from "@alkdev/operations";
import type { ActAnswer, ActOutcome } from "./dead_letters.ts";
import { inBatches } from "./in_batches.ts";
import type { Caller, RunStatus } from "../../engine/events.ts";
import type { RunQuery, Runs } from "./ports.ts";

export type RunAction = "abort" | "pause" | "resume" | "rerun" | "retry";

export interface ActOnRuns {
  readonly action: RunAction;
  /** Either these or `filter`. */
  readonly ids?: readonly string[];
  readonly filter?: Omit<RunQuery, "orgId" | "limit" | "cursor">;
  /** Of an abort. */
  readonly reason?: string;
  /** Of a rerun: completed work is reused. */
  readonly fromFailed?: boolean;
  readonly limit: number;
}

/** Runs acted on at once. */
const AT_ONCE = 8;
/** Whom an action is for, where the filter does not say. */
const STATUSES: Readonly<Record<RunAction, readonly RunStatus[]>> = {
  abort: ["running", "paused"],
  pause: ["running"],
  resume: ["paused"],
  retry: ["running", "paused"],
  rerun: ["failed", "aborted"],
};

/**
 * Acts on at most `limit` runs; `retry` makes every node that waits for its next attempt try again now.
 *
 * @throws CallError VALIDATION_ERROR without `ids` and `filter`, or with both
 */
export async function actOnRuns(
  runs: Runs,
  { caller, ...act }: ActOnRuns & { readonly caller: Caller },
): Promise<ActAnswer> {
  const { ids, filter, limit } = act;
  if ((ids === undefined) === (filter === undefined)) {
    throw new CallError("VALIDATION_ERROR", 'Cannot act on runs: want either "ids" or "filter"', {
      errors: [{ path: "/ids", message: 'want either "ids" or "filter"' }],
    });
  }
  const page = ids !== undefined ? null : await runs.list({ status: STATUSES[act.action], ...filter, caller, limit });
  const chosen = page?.items.map(({ id }) => id) ?? [...new Set(ids)];
  const items = await inBatches(chosen.slice(0, limit), AT_ONCE, (runId) => actOnRun(runs, { ...act, caller, runId }));
  return { items, more: page === null ? chosen.length > limit : page.nextCursor !== null };
}

async function actOnRun(
  runs: Runs,
  { action, caller, runId, reason, fromFailed }: ActOnRuns & { readonly caller: Caller; readonly runId: string },
): Promise<ActOutcome> {
  switch (action) {
    case "abort":
      await runs.abort({ caller, runId, ...(reason !== undefined && { reason }) });
      break;
    case "pause":
    case "resume":
      await runs[action]({ caller, runId });
      break;
    case "rerun": {
      const { id } = await runs.rerun({ caller, runId, ...(fromFailed !== undefined && { fromFailed }) });
      return { runId, done: true, newRunId: id };
    }
    case "retry":
      await retryAll(runs, caller, runId);
  }
  return { runId, done: true };
}

async function retryAll(runs: Runs, caller: Caller, runId: string): Promise<void> {
  const { nodes } = await runs.graph({ caller, runId, data: false });
  const waiting = nodes.filter(({ status, attempts, nextAt }) =>
    status === "waiting" && attempts > 0 && nextAt !== null
  );
  for (const { key } of waiting) {
    // One that has gone on by itself meanwhile is as it was wanted.
    await runs.actOnNode({ caller, runId, key, act: { type: "nudge" } }).catch((error: unknown) => {
      if (!(error instanceof CallError) || (error.code !== "NODE_NOT_WAITING" && error.code !== "NODE_ENDED")) {
        throw error;
      }
    });
  }
}
