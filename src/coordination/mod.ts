/** Sessions that spawn sessions: mappings, messages between them, waiting, aborting, anomalies. @module */
export type { Anomaly, AnomalyType, Detection, Severity } from "./detection.ts";
export type { SessionTrace, TracedCall, TracedStep } from "./detect/session_trace.ts";
export { isEnded, mayMove, movesTo } from "./mapping.ts";
export type { MappedParent, MappedWorkspace, Mapping, MappingStatus, RemovalPolicy, WorktreeState } from "./mapping.ts";
export type { Notice, NoticeKind, NoticeLevel } from "./notice.ts";
export { COORDINATION_SPECS, coordinationOperations } from "./operations.ts";
export type { CoordinationPort, CoordinationScope, CoordinationSpec, Request } from "./operations.ts";
export type {
  CallGraphPort,
  CallPlace,
  CoordinationAudit,
  CoordinationStore,
  CurrentCall,
  MappingChange,
  MappingQuery,
  RolesPort,
  SessionsPort,
  SessionState,
  SpawnRights,
  TreeCaps,
  WorktreesPort,
} from "./ports.ts";

export type {
  AbortInput,
  AbortOutput,
  DetectInput,
  DetectOutput,
  MessageInput,
  MessageOutput,
  NotifyInput,
  NotifyOutput,
  Selection,
  SessionReport,
  Spawned,
  SpawnInput,
  SpawnOutput,
  SpawnTask,
  SpawnWorkspace,
  StatusInput,
  StatusOutput,
  WaitInput,
  WaitOutput,
} from "./requests.ts";
export { createMemoryCoordinationStore } from "./memory_coordination_store.ts";
export { Coordination } from "./coordination.ts";
export { DEFAULT_TREE_LIMITS } from "./options.ts";
export type { CoordinationOptions, TreeLimits } from "./options.ts";
export { MemoryWorktrees } from "./memory_worktrees.ts";
export { spokeWorktrees } from "./spoke_worktrees.ts";
export type { CallOnSpoke } from "./spoke_worktrees.ts";
export { MemorySessions } from "./memory_sessions.ts";
