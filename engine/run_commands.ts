/** What people ask of a live run, as events. Synchronous, like everything that drives a run. */
import { CallError } from "@alkdev/operations";
import type { ActiveRun } from "./active_run.ts";
import { publicCounts } from "./decide.ts";
import type { EventOf, RunBudget } from "./events.ts";

/** Ends the run: signals first, then the events (I5). */
export function abortRun(run: ActiveRun, reason: string, by: string, code?: string): void {
  if (run.state.terminal !== null) return;
  // Until the terminal event is in, nothing is to follow from what is aborted here.
  run.withoutReaction(() => {
    run.calls.abortAll(new CallError("ABORTED", reason));
    const why = code === undefined ? { reason } : { reason, code };
    run.emit({ type: "run.aborted", ...why, by, counts: publicCounts(run.state) });
  });
}

/** Ends a run whose deadline has passed: failed where it is that of a budget, else aborted. */
export function endOverdue(run: ActiveRun): void {
  const { created } = run.state;
  const overdue = created === null ? null : overdueBudget(created);
  if (created === null || overdue === null) return abortRun(run, "The run's deadline has passed", "hub");
  if (run.state.terminal !== null) return;
  const limit = overdue.limits.wallMs ?? 0;
  const details = {
    which: "wallMs",
    budgetRunId: overdue.runId,
    limit,
    spent: limit,
    reserved: 0,
    wanted: 0,
    node: null,
  };
  const whose = overdue.runId === run.id ? "its budget" : `the budget of run ${overdue.runId} above it`;
  const error = { code: "BUDGET_EXCEEDED", message: `The run has taken the ${limit} ms of ${whose}`, details };
  run.withoutReaction(() => {
    run.calls.abortAll(new CallError(error.code, error.message, details));
    run.emit({ type: "run.failed", error: { ...error, nodeKey: null }, counts: publicCounts(run.state) });
  });
}

/** The budget whose time is the run's deadline; null: the deadline was asked for. */
function overdueBudget({ runId, deadline, budget }: EventOf<"run.created">): RunBudget | null {
  if (budget === undefined) return null;
  const { own, above } = budget;
  const holding = own === null ? above : [...above, { ...own, runId }];
  return holding.find((one) => one.deadline !== null && one.deadline === deadline) ?? null;
}

/** Holds back, or lets go on, what has not started. */
export function pauseRun(run: ActiveRun, paused: boolean, by: string): void {
  if ((run.state.status === "paused") === paused) return;
  if (paused) run.emit({ type: "run.paused", by });
  else run.emit(run.state.started ? { type: "run.resumed", by } : { type: "run.resumed", by, queued: true });
  if (!paused) run.resumed();
}
