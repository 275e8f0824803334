/** Agent sessions: conversations with a model that uses tools, durable, each turn a run. @module */
export { type FeedRelay, LiveFeed } from "./live_feed.ts";
export type {
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
export { visible } from "./visible.ts";
