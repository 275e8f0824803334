/** What goes wrong: errors that are thrown, and results of validation that are returned. @module */
export {
  ConstructionError,
  CycleError,
  DuplicateEdgeError,
  DuplicateNodeError,
  InvalidInputError,
  NodeNotFoundError,
} from "./construction_error.ts";
export { FlowgraphError } from "./flowgraph_error.ts";
export { InvalidTransitionError } from "./invalid_transition_error.ts";
export { ExpressionError } from "../expression/expression_error.ts";
export { TemplateError } from "../template_error.ts";
export type { TypeMismatch } from "../analysis/type_compat.ts";
export type {
  AnyValidationError,
  GraphValidationError,
  TypeIncompatError,
  ValidationError,
} from "./validation_error.ts";
