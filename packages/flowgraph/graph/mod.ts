/** Graphs of operations, calls and templates. @module */
export type { OperationSpec } from "@alkdev/operations";
export type { CallEventMapValue } from "../schema/call_event.ts";
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
export type { SerializedGraph } from "./serialized_graph.ts";
