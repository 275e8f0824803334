/** Rendering templates: to a DAG, and to reactive statuses. @module */
export { createRoot } from "./create_root.ts";
export type { Root } from "./create_root.ts";
export { GraphologyHostConfig } from "./graphology_host.ts";
export type { GraphologyContainer, GraphologyContext, GraphologyInstance, OperationLookup } from "./graphology_host.ts";
export type { HostConfig } from "./host_config.ts";
export { ReactiveHostConfig } from "./reactive_host.ts";
export type { ReactiveContainer, ReactiveContext, WorkflowNode } from "./reactive_host.ts";
export { templateDag } from "./template_dag.ts";
