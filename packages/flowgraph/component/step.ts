import { createElement, type Element } from "../element.ts";
import { errorRef, type Ref, ref, statusRef } from "../reference.ts";
import type { InputProp, OperationCallProps, WorkflowCallProps } from "./props.ts";
import type {
  InputOf,
  OperationName,
  OutputOf,
  WorkflowInputOf,
  WorkflowName,
  WorkflowOutputOf,
} from "./registered_types.ts";

/** What a template can say of a node declared beforehand. */
export interface StepData<Output> {
  /** The node's key. */
  readonly key: string;
  /** What the node returned. */
  readonly output: Ref<Output>;
  /** The same seen from outside the Map or Loop that the node stands in: the list over all items. */
  readonly outputs: Ref<Output[]>;
  /** The node's status. */
  readonly status: Ref<string>;
  /** The node's error, or null. */
  readonly error: Ref<{ code: string; message: string; details: unknown }>;
}

/** Props of a {@linkcode Step}: those of an Operation, without what the step already knows. */
export type StepProps<Name extends OperationName> = Omit<OperationCallProps, "key"> & InputProp<InputOf<Name>>;

/** A component that stands for one Operation node, and references to what the node returns. */
export type Step<Name extends OperationName> = ((props: StepProps<Name>) => Element) & StepData<OutputOf<Name>>;

/** Props of a {@linkcode ChildStep}: those of a Workflow, without what the step already knows. */
export type ChildStepProps<Name extends WorkflowName> =
  & Omit<WorkflowCallProps, "key" | "children">
  & InputProp<WorkflowInputOf<Name>>;

/** A component that stands for one child run, and references to what it gives. */
export type ChildStep<Name extends WorkflowName> =
  & ((props: ChildStepProps<Name>) => Element)
  & StepData<WorkflowOutputOf<Name>>;

/**
 * Declares an Operation node before the template, so that others can refer to its data with its types.
 *
 * @example In the README too, where it is run
 * ```tsx ignore
 * const Fetch = step("fetch", "core.http");
 *
 * <>
 *   <Fetch input={{ url: "https://example.com/" }} timeout="10s" />
 *   <Operation name="core.echo" input={{ value: Fetch.output.body }} />
 * </>;
 * ```
 */
export function step<const Name extends OperationName>(key: string, name: Name): Step<Name> {
  const component = (props: StepProps<Name>): Element => createElement("operation", { ...props, key, name });
  return withData<typeof component, OutputOf<Name>>(component, key);
}

/** Declares a child run before the template, as {@linkcode step} does an operation. */
export function childStep<const Name extends WorkflowName>(key: string, name: Name): ChildStep<Name> {
  const component = (props: ChildStepProps<Name>): Element => createElement("workflow", { ...props, key, name });
  return withData<typeof component, WorkflowOutputOf<Name>>(component, key);
}

function withData<Component extends object, Output>(component: Component, key: string): Component & StepData<Output> {
  const data: StepData<Output> = {
    key,
    output: ref<Output>(key),
    outputs: ref<Output[]>(key),
    status: statusRef(key),
    error: errorRef(key),
  };
  return Object.assign(component, data);
}
