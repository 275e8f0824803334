import { createElement, type Element, flattenTemplate, type Template } from "../element.ts";
import type {
  ApprovalProps,
  ConditionalProps,
  LoopProps,
  MapProps,
  OperationProps,
  ParallelProps,
  RaceProps,
  SequentialProps,
  SignalProps,
  SleepProps,
  SleepUntilProps,
  WorkflowProps,
} from "./props.ts";
import type { OperationName, WorkflowName } from "./registered_types.ts";

/** Calls an operation. */
export function Operation<const Name extends OperationName>(props: OperationProps<Name>): Element {
  return createElement("operation", props);
}

/** Its children one after the other. Its data is the last child's. */
export function Sequential(props: SequentialProps): Element {
  return createElement("sequential", props, props.children);
}

/** Its children at the same time. Its data is the array of theirs. */
export function Parallel(props: ParallelProps): Element {
  return createElement("parallel", props, props.children);
}

/** Its children at the same time; the first to complete wins, the others are aborted. */
export function Race(props: RaceProps): Element {
  return createElement("race", props, props.children);
}

/** Its children when the test holds, `else` when not. Its data is that of the branch taken, or null. */
export function Conditional(props: ConditionalProps): Element {
  const { else: otherwise, ...rest } = props;
  return createElement("conditional", { ...rest, else: branch(otherwise) }, props.children);
}

/** Its children once per item of `over`. Its data is the array of the items' data. */
export function MapEach(props: MapProps): Element {
  return createElement("map", props, props.children);
}

/** Its children again while `while` holds. Its data is the array of the turns' data. */
export function Loop(props: LoopProps): Element {
  return createElement("loop", props, props.children);
}

/** A durable timer. */
export function Sleep(props: SleepProps): Element {
  return createElement("sleep", props);
}

/** A durable timer to an instant. */
export function SleepUntil(props: SleepUntilProps): Element {
  return createElement("sleepuntil", props);
}

/** Waits for an outside event. Its data is the payload. */
export function Signal(props: SignalProps): Element {
  return createElement("signal", props);
}

/** Asks somebody. Its data is the answer. */
export function Approval(props: ApprovalProps): Element {
  return createElement("approval", props);
}

/** A child run; its data is that run's output. At the root, without `name`: the workflow itself. */
export function Workflow<const Name extends WorkflowName>(props: WorkflowProps<Name>): Element {
  return createElement("workflow", props, props.children);
}

function branch(template: Template): Element | undefined {
  const elements = flattenTemplate(template);
  return elements.length > 1 ? createElement("sequential", {}, elements) : elements[0];
}
