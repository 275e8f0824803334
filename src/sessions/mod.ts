/** Agent sessions: conversations with a model that uses tools, durable, each turn a run. @module */
export { type FeedRelay, LiveFeed } from "./live_feed.ts";
export type {
  CallPlace,
  CallPlaces,
  ModelAnswer,
  ModelCalls,
  NewMessage,
  NewSession,
  OwnerStanding,
  SearchHit,
  SessionEvent,
  SessionFeed,
  SessionKey,
  SessionLedger,
  SessionLog,
  SessionOwners,
  SessionQuery,
  SessionRole,
  SessionRoles,
  SessionStore,
  StepUsage,
  ToolCatalog,
  TurnEnd,
  TurnRuns,
} from "./ports.ts";
export { sessionOperations } from "./operations.ts";
export type { SessionOperationsOptions } from "./operations.ts";
export type { SessionsOptions } from "./options.ts";
export { BudgetSchema, CreateSchema, LimitsSchema, SaidPartSchema, WorkspaceSchema } from "./schemas.ts";
export { sessionBusy, sessionNotFound } from "./session_error.ts";
export type { CreateSession, ForkSession, Prompted, PromptSession } from "./session_requests.ts";
export { sessionView, spokenText, turnView } from "./session_view.ts";
export type { SessionView } from "./session_view.ts";
export { SESSION_LABEL, Sessions } from "./sessions.ts";
export { TurnKeeper } from "./turn_keeper.ts";
export type { TurnKey } from "./turn_keeper.ts";
export { TURN_LABEL } from "./turns.ts";
export { MemorySessionStore } from "./memory_session_store.ts";
export { searchText } from "./ports.ts";
export { isToolEnded } from "./session.ts";
export type {
  Message,
  MessageRole,
  Part,
  RunPlace,
  Session,
  SessionAgent,
  SessionBudget,
  SessionKind,
  SessionLimits,
  SessionOwner,
  SessionStatus,
  SessionTools,
  SessionTurn,
  SessionUsage,
  SessionWorkspace,
  ToolPart,
  ToolState,
} from "./session.ts";
export { closedPart, excerptOf, newSession, newTurn, statusAfter, statusDuring } from "./transitions.ts";
export { runnerOperations } from "./runner_operations.ts";
export { type CallsOfModels, RunnerTurns } from "./runner_turns.ts";
export { visible } from "./visible.ts";
