/** How calls are orchestrated: templates, plans, graphs. @module */
export type { Json } from "./json.ts";
export type {
  Backoff,
  Bindable,
  BudgetLimits,
  ChildRunNode,
  CompiledPlan,
  ConditionalNode,
  ContainerNode,
  FailurePolicy,
  FunctionMark,
  LoopNode,
  MapNode,
  OperationNode,
  ParallelNode,
  Plan,
  PlanFunction,
  PlanNode,
  PlanResult,
  PlanResults,
  RaceNode,
  Reference,
  RetryPolicy,
  SequentialNode,
  SignalNode,
  SleepNode,
  WaitNode,
} from "./plan.ts";
export { compile, isStatic } from "./compile/compile.ts";
export type { NamedTemplate } from "./compile/compile.ts";
export {
  Approval,
  childStep,
  Conditional,
  Loop,
  Map,
  Operation,
  Parallel,
  Race,
  Sequential,
  Signal,
  Sleep,
  SleepUntil,
  step,
  Workflow,
} from "./component/mod.ts";
export type {
  ApprovalProps,
  Binding,
  Bound,
  BudgetProps,
  ChildStep,
  ChildStepProps,
  CommonProps,
  ConditionalProps,
  InputOf,
  InputProp,
  LoopProps,
  MapProps,
  OperationCallProps,
  OperationName,
  OperationProps,
  OperationTypes,
  OutputOf,
  ParallelProps,
  RaceProps,
  RetryProps,
  RootProps,
  SequentialProps,
  SignalProps,
  SleepProps,
  SleepUntilProps,
  Step,
  StepData,
  StepProps,
  WorkflowCallProps,
  WorkflowInputOf,
  WorkflowName,
  WorkflowOutputOf,
  WorkflowProps,
  WorkflowTypes,
} from "./component/mod.ts";
export { parseDuration } from "./duration.ts";
export type { Duration } from "./duration.ts";
export { diffPlans } from "./diff/diff_plans.ts";
export type { DiffEdge, DiffNode, FieldChange, NodeChange, PlanDiff } from "./diff/diff_plans.ts";
export { createElement } from "./element.ts";
export type { Component, Element, Tag, Template } from "./element.ts";
export { FlowgraphError } from "./error/flowgraph_error.ts";
export { compileExpression } from "./expression/compile_expression.ts";
export type { Expression } from "./expression/compile_expression.ts";
export { ExpressionError } from "./expression/expression_error.ts";
export type { ExpressionNames } from "./expression/expression_names.ts";
export { flowControlProblems } from "./flow_control.ts";
export type { FlowControl, FlowKey } from "./flow_control.ts";
export { nearestName } from "./nearest_name.ts";
export { parseReference, resolveReference, walkPath } from "./parse_reference.ts";
export type { ParsedReference } from "./parse_reference.ts";
export type { Problem, ProblemCode } from "./problem.ts";
export { $input, errorRef, inputRef, isReference, itemRef, ref, statusRef } from "./reference.ts";
export type { OpenRef, Ref, ReferenceTo } from "./reference.ts";
export { serializable } from "./serializable.ts";
export { parseTemplate } from "./template/parse_template.ts";
export type { ParsedTemplate } from "./template/parse_template.ts";
export { planToTemplate } from "./template/plan_to_template.ts";
export type { TemplateJson } from "./template/plan_to_template.ts";
export { toTemplateJson } from "./template/to_template_json.ts";
export { TemplateError } from "./template_error.ts";
export { defineWorkflow, isWorkflowDefinition } from "./workflow.ts";
export type { WorkflowDefinition, WorkflowExposure, WorkflowOptions } from "./workflow.ts";
export { typeCompat } from "./analysis/type_compat.ts";
export type { TypeCompatResult, TypeMismatch } from "./analysis/type_compat.ts";
export { flowProblems, validate } from "./validate/validate.ts";
export type { FlowOptions, ValidateOptions, WorkflowSchemas } from "./validate/validate.ts";
export type { DrawableEdge, DrawableGraph, DrawableNode } from "./view/drawable_graph.ts";
export { planEdges, planGraph } from "./view/plan_graph.ts";
export type { PlanEdge, PlanGraph, PlanGraphNode } from "./view/plan_graph.ts";
export { toDot } from "./view/to_dot.ts";
export { toSvg } from "./view/to_svg.ts";
export { toMermaid } from "./view/to_mermaid.ts";
export { FlowGraph } from "./graph/flow_graph.ts";
export type { CallGraph, FlowGraphOptions, OperationGraph, TemplateDAG } from "./graph/flow_graph.ts";
