/** Spokes: who is connected, what they offer, and the calls they work on. @module */
export { createMemorySpokeStore } from "./memory_spoke_store.ts";
export type {
  CallLabels,
  CallObserver,
  CallPlace,
  HubCall,
  HubCalls,
  Offered,
  PoolStats,
  RunEventsPort,
  RunnerPool,
  SpokeLog,
  SpokePrincipal,
  SpokeRecord,
  SpokeSocket,
  SpokeStatus,
  SpokeStore,
  SpokeView,
} from "./ports.ts";
export { ChunkQueue } from "./chunk_queue.ts";
export { compareVersions } from "./offered_operation.ts";
export { decodeRegistration, RESERVED_NAMESPACES, reviveOperations } from "./registration.ts";
export { SpokeLostError } from "./spoke_lost_error.ts";
export { createRunnerPool } from "./runner_pool.ts";
export type { RunnerPoolOptions } from "./runner_pool.ts";
