import { type Json, TemplateError, validate, type WorkflowDefinition, type WorkflowSchemas } from "@alkdev/flowgraph";
import type { OperationSpec } from "@alkdev/operations";
import { Value } from "@alkdev/typebox/value";
import type { TemplateProblem } from "../runs/ports.ts";
import { nameProblems } from "./name_problems.ts";
import { checkOutput, placeOutput } from "./check_output.ts";
import { jsonDefinition } from "./definition_version.ts";
import { templateProblem } from "./template_problem.ts";

/** The operations that a workflow may call. */
export interface KnownOperations {
  /** By what a node calls, on spokes with these labels. Undefined: there is none such. */
  spec(operationId: string, labels?: Readonly<Record<string, string>>): OperationSpec | undefined;
  /** Of all of them: for suggestions. */
  ids(): Iterable<string>;
  /** What a child workflow takes and gives; absent, or undefined for one: nothing is known of it. */
  workflow?(name: string, version: string | undefined): WorkflowSchemas | undefined;
}

/** Everything wrong with a template given as JSON, and with an `output` beside it. */
export function validateTemplateJson(
  name: string,
  { template, output }: { readonly template: Json; readonly output?: Json | undefined },
  operations: KnownOperations,
): readonly TemplateProblem[] {
  const misnamed = nameProblems(name);
  if (misnamed.length > 0) return misnamed;
  const checked = checkOutput(output, template);
  const result = "problems" in checked ? null : checked.result;
  const nothing = { title: null, description: null, inputSchema: null, outputSchema: null, flow: null, expose: null };
  const found = validateDefinition(jsonDefinition({ name, template, result, ...nothing }), operations);
  return [
    ...("problems" in checked ? checked.problems : []),
    ...found.map((problem) => placeOutput(problem, result)),
  ];
}

/**
 * Everything wrong with a workflow. A template that is a function of the input is looked at for one input made from its
 * schema; where it cannot be made for that, nothing can be said.
 */
export function validateDefinition(
  definition: WorkflowDefinition,
  operations: KnownOperations,
): readonly TemplateProblem[] {
  if (isEmpty(definition.template)) {
    const message = "The template has no element";
    return [{
      code: "no-element",
      path: "",
      message,
      suggestion: "Give one {type, props, children}, or a list of them",
    }];
  }
  try {
    const problems = validate(definition, {
      operations: (id, labels) => operations.spec(id, labels),
      operationIds: operations.ids(),
      workflows: (name, version) => operations.workflow?.(name, version),
      input: sampleInput(definition),
    });
    return problems.map(templateProblem);
  } catch (error) {
    if (error instanceof TemplateError) return error.problems.map(templateProblem);
    if (typeof definition.template === "function") return [];
    throw error;
  }
}

/** What stands for no element at all. A function may give none for some input. */
function isEmpty(template: unknown): boolean {
  if (Array.isArray(template)) return template.every(isEmpty);
  return template === null || template === undefined || typeof template === "boolean";
}

function sampleInput({ inputSchema, template }: WorkflowDefinition): unknown {
  if (inputSchema === null || typeof template !== "function") return {};
  try {
    return Value.Create(inputSchema);
  } catch {
    return {};
  }
}
