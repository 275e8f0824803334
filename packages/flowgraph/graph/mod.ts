/** Graphs of operations, calls and templates. @module */
export type { OperationSpec } from "@alkdev/operations";
export type { CallEventMapValue } from "../schema/call_event.ts";
export { bridgeCallEvent } from "./bridge_call_event.ts";
export { FlowGraph } from "./flow_graph.ts";
export type {
  CallEdge,
  CallGraph,
  EdgeBase,
  FlowGraphOptions,
  OperationGraph,
  TemplateDAG,
  TypedEdge,
} from "./flow_graph.ts";
export type { GraphData } from "./graph_data.ts";
export type { SerializedGraph } from "../schema/serialized_graph.ts";
