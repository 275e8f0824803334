import type { RunView } from "../../runs/mod.ts";

/** A run as a task is seen from outside. Its id is the run's, so it is there as long as the run is. Times are ISO 8601. */
export interface TaskView {
  readonly taskId: string;
  readonly status: "working" | "input_required" | "completed" | "failed" | "cancelled";
  readonly statusMessage?: string;
  readonly createdAt: string;
  readonly lastUpdatedAt: string;
  /** Null: kept without an end. */
  readonly ttlMs: number | null;
  readonly pollIntervalMs: number;
  readonly [key: string]: unknown;
}

/** Errors that are not the work's own: the run could not be carried out. */
const OF_THE_HUB: ReadonlySet<string> = new Set(["UNKNOWN_ERROR", "OPERATION_NOT_FOUND", "WORKFLOW_NOT_FOUND"]);

/** Whether a run failed by the hub rather than by what it did. */
export function isHubFailure({ status, error }: RunView): boolean {
  return status === "failed" && error !== null && OF_THE_HUB.has(error.code);
}

/** `asks`: a question waits. `updatedAt` is ms since the epoch. */
export function toTaskView(
  view: RunView,
  params: { readonly asks: boolean; readonly updatedAt: number; readonly pollMs: number },
): TaskView {
  const { completed, failed, total } = view.progress;
  return {
    taskId: view.id,
    status: statusOf(view, params.asks),
    ...(view.completedAt === null && { statusMessage: `${completed + failed} of ${total} steps done` }),
    createdAt: new Date(view.createdAt).toISOString(),
    lastUpdatedAt: new Date(params.updatedAt).toISOString(),
    ttlMs: null,
    pollIntervalMs: params.pollMs,
  };
}

function statusOf(view: RunView, asks: boolean): TaskView["status"] {
  switch (view.status) {
    case "completed":
      return "completed";
    case "failed":
      // What the work itself reports is a result: it says `isError`.
      return isHubFailure(view) ? "failed" : "completed";
    case "aborted":
      return "cancelled";
    default:
      return asks ? "input_required" : "working";
  }
}
