/**
 * A typed client of a hub: start runs, wait for them, watch them, answer them; call operations.
 *
 * @module
 */
export { HubClient } from "./hub_client.ts";
export {
  type FieldProblem,
  HubConnectionError,
  HubError,
  HubTimeoutError,
  type Problem,
  RunFailedError,
} from "./hub_error.ts";
export type { ResumeOptions } from "./resumed_stream.ts";
export {
  type CallOptions,
  type ForkOptions,
  type LogOptions,
  type NodeAct,
  outputOf,
  type RerunOptions,
  RunHandle,
  type WatchOptions,
} from "./run_handle.ts";
export { readServerSentEvents, type ServerSentEvent } from "./server_sent_events.ts";
export { type RequestOptions, Transport, type TransportOptions } from "./transport.ts";
export type {
  Approval,
  Call,
  Envelope,
  GraphNode,
  Json,
  LimitUse,
  LogLevel,
  LogLine,
  Operation,
  Page,
  PlanPlace,
  Progress,
  ReusedFrom,
  Run,
  RunBudget,
  RunError,
  RunEvent,
  RunFilter,
  RunGraph,
  RunStatus,
  RunView,
  StartOptions,
  WhyEntry,
  Workflow,
  WorkflowView,
} from "./types.ts";
