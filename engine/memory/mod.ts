/** In-memory reference implementations of the engine's ports. @module */
export { acquireMemoryLease, createMemoryLog, createMemoryPlanStore, MemoryStore } from "./memory_log.ts";
export type { Now } from "./memory_log.ts";
export { VirtualClock } from "./virtual_clock.ts";
