import { compile, type Json, TemplateError, type WorkflowDefinition } from "@alkdev/flowgraph";
import type { OperationSpec } from "@alkdev/operations";
import { Value } from "@alkdev/typebox/value";
import type { TemplateProblem } from "../runs/ports.ts";
import { jsonDefinition } from "./definition_version.ts";
import { templateProblem } from "./template_problem.ts";

/** Finds an operation's spec; undefined: there is none. */
export type SpecLookup = (operationId: string) => OperationSpec | undefined;

/** Everything wrong with a template given as JSON. */
export function validateTemplateJson(name: string, template: Json, operations: SpecLookup): readonly TemplateProblem[] {
  const nothing = { title: null, description: null, inputSchema: null, outputSchema: null };
  return validateDefinition(jsonDefinition({ name, template, ...nothing }), operations);
}

/**
 * Everything wrong with a workflow. A template that is a function of the input is looked at for one input made from its
 * schema; where it cannot be made for that, nothing can be said.
 */
export function validateDefinition(definition: WorkflowDefinition, operations: SpecLookup): readonly TemplateProblem[] {
  try {
    const { plan } = compile(definition, sampleInput(definition));
    return plan.nodes.flatMap((node, index) =>
      node.kind !== "operation" || operations(node.operationId) !== undefined ? [] : [{
        code: "unknown-operation",
        path: `/nodes/${index}`,
        node: node.key,
        message: `There is no operation "${node.operationId}"`,
      }]
    );
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
