import type { Static, TSchema } from "@alkdev/typebox";
import { budgetRule, durationRule, retryRule } from "./compile/prop_rules.ts";
import type { BudgetProps, RetryProps } from "./component/props.ts";
import type { Duration } from "./duration.ts";
import type { Template } from "./element.ts";
import { type FlowControl, flowControlProblems } from "./flow_control.ts";
import type { FailurePolicy, Reference } from "./plan.ts";
import { isReference } from "./reference.ts";

const WORKFLOW: unique symbol = Symbol.for("@alkdev/flowgraph.workflow");

/** How a workflow is served over MCP, beside being callable by its name. */
export type WorkflowExposure = "tool" | "task" | "prompt";

/** What {@linkcode defineWorkflow} takes. */
export interface WorkflowOptions<Input extends TSchema> {
  readonly name: string;
  /** The author's own version label. */
  readonly version?: string;
  readonly title?: string;
  readonly description?: string;
  /** Schema of the run's input. Absent: any input. */
  readonly input?: Input;
  /** Schema of the run's output, or the reference that is it (then put the schema in `outputSchema`). */
  readonly output?: TSchema | Reference;
  readonly outputSchema?: TSchema;
  /** The reference that is the run's output. Absent: `output`, if that is a reference; else the last node's data. */
  readonly result?: Reference;
  /** Elements, or a function from the run's input to elements. */
  readonly template: Template | ((input: Static<Input>) => Template);
  /**
   * `"tool"`: also served as an MCP tool of its own; `"task"`: as one whose calls are tasks; `"prompt"`: as a prompt, whose
   * messages are the run's output.
   */
  readonly expose?: WorkflowExposure;
  /** Default `"continue-running"`. */
  readonly failurePolicy?: FailurePolicy;
  /** What a run and all that descends from it may use. */
  readonly budget?: BudgetProps;
  /** For every operation that says nothing of its own; not for child runs. */
  readonly retry?: RetryProps;
  /** For every operation that says nothing of its own: milliseconds or a duration such as `"5m"`. Not for child runs. */
  readonly timeout?: Duration;
  /** When its runs may start. Absent: at once. */
  readonly flow?: FlowControl;
}

/** A workflow, frozen. */
export interface WorkflowDefinition {
  readonly name: string;
  readonly version?: string;
  readonly title?: string;
  readonly description?: string;
  /** Null: any input. */
  readonly inputSchema: TSchema | null;
  /** Null: any output. */
  readonly outputSchema: TSchema | null;
  /** The run's output. Null: what the root's `output` prop says, else the last node's data. */
  readonly result: Reference | null;
  readonly template: Template | ((input: never) => Template);
  readonly expose?: WorkflowExposure;
  readonly failurePolicy?: FailurePolicy;
  readonly budget?: BudgetProps;
  readonly retry?: RetryProps;
  readonly timeout?: Duration;
  readonly flow?: FlowControl;
}

/**
 * Defines a workflow; a template file exports the result as default.
 *
 * @throws TypeError when there is no name, or it holds more than letters, digits, `_`, `-`, `.` and `/`.
 */
export function defineWorkflow<Input extends TSchema = TSchema>(options: WorkflowOptions<Input>): WorkflowDefinition {
  const { name, version, title, description, input, output, template, expose, failurePolicy, budget } = options;
  const { retry, timeout, flow } = options;
  if (typeof name !== "string" || !/^[A-Za-z0-9_][A-Za-z0-9_./-]{0,127}$/.test(name)) {
    throw new TypeError(
      `Cannot define workflow "${name}": "name" must start with a letter or digit and hold only letters, digits, "_", "-", "." and "/", at most 128`,
    );
  }
  for (
    const [what, value, rule] of [["budget", budget, budgetRule], ["retry", retry, retryRule], [
      "timeout",
      timeout,
      durationRule,
    ]] as const
  ) {
    const wanted = value === undefined ? null : rule(value);
    if (wanted !== null) throw new TypeError(`Cannot define workflow "${name}": "${what}" must be ${wanted}`);
  }
  if (template === undefined) throw new TypeError(`Cannot define workflow "${name}": "template" is missing`);
  const [wrong] = flow === undefined ? [] : flowControlProblems(flow);
  if (wrong !== undefined) {
    throw new TypeError(`Cannot define workflow "${name}": ${wrong.message} (at /flow${wrong.path})`);
  }
  const asResult = isReference(output) ? output : null;
  const asSchema = output === undefined || isReference(output) ? null : output;
  const definition: WorkflowDefinition = {
    name,
    ...(version !== undefined && { version }),
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    inputSchema: input ?? null,
    outputSchema: options.outputSchema ?? asSchema,
    result: options.result ?? asResult,
    template,
    ...(expose !== undefined && { expose }),
    ...(failurePolicy !== undefined && { failurePolicy }),
    ...(budget !== undefined && { budget }),
    ...(retry !== undefined && { retry }),
    ...(timeout !== undefined && { timeout }),
    ...(flow !== undefined && { flow }),
  };
  Object.defineProperty(definition, WORKFLOW, { value: true });
  return Object.freeze(definition);
}

/** Was this made by {@linkcode defineWorkflow}, of whichever copy of this package? */
export function isWorkflowDefinition(value: unknown): value is WorkflowDefinition {
  return typeof value === "object" && value !== null && Reflect.get(value, WORKFLOW) === true;
}
