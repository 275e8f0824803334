/** The components of templates. @module */
export {
  Approval,
  Conditional,
  Loop,
  MapEach as Map,
  Operation,
  Parallel,
  Race,
  Sequential,
  Signal,
  Sleep,
  SleepUntil,
  Workflow,
} from "./components.ts";
export { childStep, step } from "./step.ts";
export type { ChildStep, ChildStepProps, Step, StepData, StepProps } from "./step.ts";
export type {
  InputOf,
  OperationName,
  OperationTypes,
  OutputOf,
  WorkflowInputOf,
  WorkflowName,
  WorkflowOutputOf,
  WorkflowTypes,
} from "./registered_types.ts";
export type {
  ApprovalProps,
  Binding,
  Bound,
  CommonProps,
  ConditionalProps,
  InputProp,
  LoopProps,
  MapProps,
  OperationCallProps,
  OperationProps,
  ParallelProps,
  RaceProps,
  RetryProps,
  RootProps,
  SequentialProps,
  SignalProps,
  SleepProps,
  SleepUntilProps,
  WorkflowCallProps,
  WorkflowProps,
} from "./props.ts";
