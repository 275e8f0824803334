/** Where an operation is carried out: here or on a spoke. @module */
export { callerOf } from "./builtins/caller_of.ts";
export { callOf } from "./call_of.ts";
export { originOf } from "./origin_of.ts";
export { createDispatcher } from "./dispatcher.ts";
export type { DispatcherOptions } from "./dispatcher.ts";
export type {
  CallObserver,
  CallOrigin,
  DirectCallParams,
  HubDispatcher,
  Operations,
  RemoteOperations,
  UsageHost,
} from "./ports.ts";
