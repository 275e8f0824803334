import type { Template } from "../element.ts";
import type { CompiledPlan, FailurePolicy, Plan, PlanFunction, PlanNode, Reference } from "../plan.ts";
import { isReference } from "../reference.ts";
import { TemplateError } from "../template_error.ts";
import { isWorkflowDefinition, type WorkflowDefinition } from "../workflow.ts";
import type { Duration } from "../duration.ts";
import type { BudgetProps, RetryProps } from "../component/props.ts";
import { assignKeys } from "./assign_keys.ts";
import { budgetLimits } from "./budget_limits.ts";
import { buildNode } from "./build_node.ts";
import { connect } from "./connect.ts";
import { type Draft, pointer, Problems } from "./draft.ts";
import { readTemplate } from "./read_template.ts";

/** A template with a name, as it is registered: elements, or the same as JSON. */
export interface NamedTemplate {
  readonly name: string;
  readonly template: Template | ((input: never) => Template) | object;
  /** The run's output. */
  readonly result?: Reference | null;
  readonly failurePolicy?: FailurePolicy;
  /** What a run may use. */
  readonly budget?: BudgetProps;
  /** For operations that say nothing of their own. */
  readonly retry?: RetryProps;
  readonly timeout?: Duration;
}

/** A plan with what was found wrong on the way to it, and where in the template each node comes from. */
export interface Compilation {
  readonly compiled: CompiledPlan;
  readonly problems: Problems;
  /** JSON pointer into the template of a place in a node. */
  readonly locate: (index: number, at: readonly string[]) => string;
}

const plans = new WeakMap<object, CompiledPlan>();

/** Is the template plain elements? Then its plan is the same for every input. */
export function isStatic(source: WorkflowDefinition | NamedTemplate): boolean {
  return typeof source.template !== "function";
}

/**
 * Compiles a workflow for one input to its plan. A static definition is compiled once and remembered.
 *
 * @throws TemplateError with every problem found: unknown tags, props and references, duplicate keys, cycles, bad expressions.
 *   What a template function throws is thrown as it is.
 */
export function compile(source: WorkflowDefinition | NamedTemplate, input: unknown = {}): CompiledPlan {
  const remembered = plans.get(source);
  if (remembered) return remembered;
  const { compiled, problems } = compilation(source, render(source, input));
  if (problems.found.length > 0) throw new TemplateError(source.name, problems.found);
  // Only a definition is known never to change.
  if (isStatic(source) && isWorkflowDefinition(source)) plans.set(source, compiled);
  return compiled;
}

/** The elements of a source for an input. */
export function render(source: WorkflowDefinition | NamedTemplate, input: unknown): unknown {
  const { template } = source;
  if (typeof template !== "function") return template;
  // The input's schema says what the function takes; whoever starts a run has checked it.
  return (template as (input: unknown) => Template)(input);
}

/** Compiles, keeping the problems. A plan with problems is for looking at only. */
export function compilation(source: WorkflowDefinition | NamedTemplate, template: unknown): Compilation {
  const problems = new Problems();
  const read = readTemplate(template, problems);
  const drafts = withDefaults(read.drafts, {
    retry: source.retry ?? read.retry,
    timeout: source.timeout ?? read.timeout,
  });
  const byKey = assignKeys(drafts, problems);
  const functions = new Map<string, PlanFunction>();
  const context = { drafts, byKey, problems, functions, open: new Set<object>(), operations: { byId: null } };
  const unconnected = drafts.map((draft, index): PlanNode => buildNode(index, draft, context));
  const locate = (index: number, at: readonly string[]): string => locateIn(drafts, index, at);
  const output = source.result ?? (isReference(read.output) ? read.output : null);
  const nodes = connect(unconnected, byKey, output, problems, locate);
  const budget = budgetLimits(source.budget ?? read.budget);
  const plan: Plan = Object.freeze({
    planVersion: 1,
    workflow: source.name,
    nodes: Object.freeze(nodes),
    output: output && Object.freeze({ $ref: output.$ref }),
    failurePolicy: source.failurePolicy ??
      (read.failurePolicy === "abort-dependents" ? read.failurePolicy : "continue-running"),
    ...(budget !== null && { budget }),
  });
  return { compiled: Object.freeze({ plan, functions }), problems, locate };
}

/** Operations with what the whole workflow says of retries and time-outs, where they say nothing. */
function withDefaults(
  drafts: readonly Draft[],
  defaults: { readonly retry: unknown; readonly timeout: unknown },
): Draft[] {
  const given = Object.fromEntries(Object.entries(defaults).filter(([, value]) => value !== undefined));
  if (Object.keys(given).length === 0) return [...drafts];
  return drafts.map((draft) => draft.tag === "operation" ? { ...draft, props: { ...given, ...draft.props } } : draft);
}

function locateIn(drafts: readonly Draft[], index: number, at: readonly string[]): string {
  return pointer(drafts[index]?.place ?? null, "props", ...at);
}
