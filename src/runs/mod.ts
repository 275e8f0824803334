/** The run use cases: the only door from the edges to the engine. @module */
export { isTerminalType } from "../../engine/events.ts";
export type { NodeCommand } from "../../engine/mod.ts";
export type { Caller, EventError, NodeCounts, ParentCall, RunEvent, RunStatus } from "../../engine/events.ts";
export { planTree } from "./graph.ts";
export { withChildRuns } from "./child_runs.ts";
export type { ChildRunPorts } from "./child_runs.ts";
export { AbortCascade } from "./abort_cascade.ts";
export type { AbortCascadeOptions, OrphanRuns } from "./abort_cascade.ts";
export { FlowCheck } from "./flow_check.ts";
export { actOnRuns } from "./act_on_runs.ts";
export type { ActOnRuns, RunAction } from "./act_on_runs.ts";
export { Approvals } from "./approvals.ts";
export type { AskedSignals, OpenApproval } from "./approvals.ts";
export { DeadLetters } from "./dead_letters.ts";
export type {
  ActAnswer,
  ActOnDeadLetters,
  ActOutcome,
  DeadLetter,
  DeadLetterCount,
  DeadLetterFilter,
  DeadLetterGroup,
  DeadLetterStore,
} from "./dead_letters.ts";
export { FoldReader } from "./fold_reader.ts";
export { commandRun, elsewhere } from "./command_run.ts";
export type {
  CallTree,
  CallView,
  GraphEdge,
  GraphNode,
  NodeStatus,
  OperationCatalog,
  Page,
  PlanPlace,
  PreparedPlan,
  RunGraph,
  RunQuery,
  RunRecord,
  Runs,
  RunStore,
  RunView,
  StartRun,
  TemplateProblem,
  WorkflowCatalog,
  WorkflowVersion,
} from "./ports.ts";
export type {
  ForkParams,
  MigrateParams,
  Migration,
  MigrationReason,
  RerunParams,
  RerunStarted,
  ReusedFrom,
} from "./lineage_ports.ts";
export { createVersions } from "./versions.ts";
export type { DeployImpact, KnownVersion, LiveVersion, VersionDiff, Versions, VersionView } from "./version_ports.ts";
export type { RunCommand, RunDriver, RunOwners } from "./ports.ts";
export type { BudgetReader, BudgetUse, RunBudgetView } from "./run_budget_view.ts";
export { budgetsOf } from "./run_budget.ts";
export { RunFeed } from "./run_feed.ts";
export type { RunListener } from "./run_feed.ts";
export { outcomeOf } from "./outcome.ts";
export type { FlowWait, FlowWaits, GatedStart, PassedStart, StartGate } from "./start_gate.ts";
export { createRuns } from "./runs.ts";
export type { RunsOptions } from "./runs.ts";
export type { NodeProgress, ProgressReader } from "./node_progress.ts";
export type { WaitingCall, Whereabouts, WhyEntry } from "./why_entry.ts";
