/** Schemas and types of nodes, edges, statuses and call events. @module */
export {
  CallEdgeAttrs,
  CallFailure,
  CallNodeAttrs,
  CallResultSchema,
  DependencyEdgeAttrs,
  OperationEdgeAttrs,
  OperationNodeAttrs,
  TemplateEdgeAttrs,
  TemplateNodeAttrs,
  TriggeredEdgeAttrs,
} from "./attributes.ts";
export type { CallResult } from "./attributes.ts";
export type { CallEventMapValue } from "./call_event.ts";
export {
  CallStatus,
  CallStatusEnum,
  EdgeType,
  EdgeTypeEnum,
  NodeStatus,
  NodeStatusEnum,
  OperationTypeEnum,
} from "./enums.ts";
export { SerializedGraph } from "./serialized_graph.ts";
