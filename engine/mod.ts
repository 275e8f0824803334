/** Runs plans: see docs/architecture.md. No HTTP, no SQL, no sockets. @module */
export { closing, publicCounts } from "./decide.ts";
export { Engine } from "./engine.ts";
export { DEFAULT_ENGINE_LIMITS } from "./engine_options.ts";
export type { EngineLimits, EngineOptions, NewRun, Started } from "./engine_options.ts";
export { isTerminalType } from "./events.ts";
export type {
  Caller,
  CreatedBudget,
  EventBody,
  EventError,
  EventOf,
  GateLine,
  Lineage,
  NodeCounts,
  NodeReused,
  ParentCall,
  RunBudget,
  RunEvent,
  RunGate,
  RunStatus,
  Terminal,
  TerminalType,
} from "./events.ts";
export { InvalidPlaces } from "./lineage/invalid_places.ts";
export { keptNodes } from "./lineage/kept_nodes.ts";
export { markFrom } from "./lineage/mark_from.ts";
export { reusedResults } from "./lineage/reused_results.ts";
export { refusals } from "./lineage/refusals.ts";
export type { Refusal } from "./lineage/refusals.ts";
export type { MigrateTo } from "./migrate_run.ts";
export { FencedError } from "./ports.ts";
export type {
  Clock,
  CommitResult,
  DispatchedCall,
  Dispatcher,
  EventLog,
  FlowGate,
  FunctionSource,
  GateAnswer,
  GatedCall,
  GatedRun,
  Ids,
  LeaveGate,
  Ownership,
  PlanStore,
  Random,
} from "./ports.ts";
export { replayLog } from "./replay_log.ts";
export type { Divergence } from "./replay_log.ts";
export { childrenOf, compileProgram, isLeaf } from "./program.ts";
export type { Program } from "./program.ts";
export { ProgramCache } from "./program_cache.ts";
export { AGEING_MS, rankOf } from "./rank.ts";
export type { NodeCommand, NodeOutcome } from "./node_commands.ts";
export type { Answer, AnswerOutcome } from "./signals.ts";
export { pausedAround } from "./state/asks.ts";
export { countNodes } from "./state/counts.ts";
export { isTerminal, Status, STATUS_NAMES } from "./state/frame.ts";
export type { Cell, Frame, Place } from "./state/frame.ts";
export { keyOf, leaves, locate } from "./state/keys.ts";
export { foldRun } from "./state/fold_run.ts";
export { planPin } from "./state/plan_pin.ts";
export type { PlanPin } from "./state/plan_pin.ts";
export { RunState } from "./state/run_state.ts";
export { callSpanId, formatTraceparent, parseTraceparent, runTrace } from "./trace_context.ts";
export type { RunTrace, TraceContext } from "./trace_context.ts";
