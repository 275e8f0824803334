import { compilation } from "../compile/compile.ts";
import { flattenTemplate, type Template } from "../element.ts";
import type { Problem } from "../problem.ts";
import { TemplateError } from "../template_error.ts";
import { isWorkflowDefinition, type WorkflowDefinition } from "../workflow.ts";
import { planToTemplate, type TemplateJson } from "./plan_to_template.ts";

/**
 * A template as JSON, in the canonical form of {@linkcode planToTemplate}: for one and the same template always the same
 * bytes, and the same again after parsing, compiling and turning the plan back. A definition's `result` and `failurePolicy`
 * become props of the root.
 *
 * @throws TemplateError when the template has functions, or cannot be compiled.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { defineWorkflow, Operation, parseTemplate, toTemplateJson } from "@alkdev/flowgraph";
 *
 * const template = Operation({ name: "core.echo", key: "say", input: { value: "hi" } });
 * const workflow = defineWorkflow({ name: "hello", template });
 * const json = JSON.parse(JSON.stringify(toTemplateJson(workflow)));
 * assert.deepEqual(toTemplateJson(parseTemplate(json).template), toTemplateJson(workflow));
 * ```
 */
export function toTemplateJson(source: WorkflowDefinition | Template): TemplateJson {
  const definition = isWorkflowDefinition(source) ? source : { name: "template", template: flattenTemplate(source) };
  const { name, template } = definition;
  if (typeof template === "function") {
    throw new TemplateError(name, [{
      path: "",
      code: "not-serializable",
      message: "The template is a function of the input",
    }]);
  }
  const { compiled: { plan, functions }, problems, locate } = compilation(definition, template);
  if (problems.found.length > 0) throw new TemplateError(name, problems.found);
  if (functions.size === 0) return planToTemplate(plan);
  const indices = new Map(plan.nodes.map(({ key }, index) => [key, index]));
  throw new TemplateError(
    name,
    [...functions.keys()].map((mark): Problem => {
      const [node = "", ...at] = mark.split(".");
      const message = `"${at.join(".")}" of "${node}" is a function, which JSON cannot hold`;
      return { path: locate(indices.get(node) ?? 0, at), node, code: "not-serializable", message };
    }),
  );
}
