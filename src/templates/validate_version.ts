import { type Json, TemplateError, validate, type WorkflowDefinition } from "@alkdev/flowgraph";
import type { OperationSpec } from "@alkdev/operations";
import { Value } from "@alkdev/typebox/value";
import type { TemplateProblem } from "../runs/ports.ts";
import { jsonDefinition } from "./definition_version.ts";
import { templateProblem } from "./template_problem.ts";

/** The operations that a workflow may call. */
export interface KnownOperations {
  /** Undefined: there is none such. */
  spec(operationId: string): OperationSpec | undefined;
  /** Of all of them: for suggestions. */
  ids(): Iterable<string>;
}

/** Everything wrong with a template given as JSON. */
export function validateTemplateJson(
  name: string,
  template: Json,
  operations: KnownOperations,
): readonly TemplateProblem[] {
  const nothing = { title: null, description: null, inputSchema: null, outputSchema: null };
  return validateDefinition(jsonDefinition({ name, template, ...nothing }), operations);
}

/**
 * Everything wrong with a workflow. A template that is a function of the input is looked at for one input made from its
 * schema; where it cannot be made for that, nothing can be said.
 */
export function validateDefinition(
  definition: WorkflowDefinition,
  operations: KnownOperations,
): readonly TemplateProblem[] {
  try {
    const problems = validate(definition, {
      operations: (id) => operations.spec(id),
      operationIds: operations.ids(),
      input: sampleInput(definition),
    });
    return problems.map(templateProblem);
  } catch (error) {
    if (error instanceof TemplateError) return error.problems.map(templateProblem);
    if (typeof definition.template === "function") return [];
    throw error;
  }
}

function sampleInput({ inputSchema, template }: WorkflowDefinition): unknown {
  if (inputSchema === null || typeof template !== "function") return {};
  try {
    return Value.Create(inputSchema);
  } catch {
    return {};
  }
}
