/** Reactive statuses of a template's execution. @module */
export type { FailurePolicy } from "../plan.ts";
export type { EventLogProjection } from "./event_log_projection.ts";
export type { Guard } from "./guard.ts";
export { WorkflowReactiveRoot } from "./workflow_reactive_root.ts";
export type { WorkflowReactiveRootOptions } from "./workflow_reactive_root.ts";
