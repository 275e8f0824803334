import { flowControlProblems, type Json, type WorkflowExposure } from "@alkdev/flowgraph";
import { CallError } from "@alkdev/operations";
import type { TemplateProblem } from "../runs/ports.ts";
import { checkOutput, placeOutput } from "./check_output.ts";
import { definitionVersion, jsonDefinition, type JsonWorkflow } from "./definition_version.ts";
import { nameProblems } from "./name_problems.ts";
import { type KnownOperations, validateDefinition } from "./validate_version.ts";
import type { ResolvedVersion } from "./workflow_version.ts";

/** Of a template as JSON text, in UTF-16 units. */
const MAX_TEMPLATE_LENGTH = 8 << 20;
const MAX_NODES = 100_000;
/** Of JSON values in each other, an element counting for two: far past any template that the compiler takes. */
const MAX_JSON_DEPTH = 400;

/** What an organization wants to register. */
export interface Registration {
  readonly name: string;
  readonly template: Json;
  /** The run's output, as `{"$ref": …}`. */
  readonly output?: Json;
  readonly inputSchema?: Json;
  readonly outputSchema?: Json;
  readonly title?: string;
  readonly description?: string;
  readonly flow?: Json;
  readonly expose?: WorkflowExposure;
}

/** Checks a registration whole: the version it is, or every problem found. `taken`: a template file has the name. */
export function checkRegistration(
  registration: Registration,
  taken: boolean,
  operations: KnownOperations,
): { readonly version: ResolvedVersion } | { readonly problems: readonly TemplateProblem[] } {
  const { name, template, inputSchema = null, outputSchema = null, title = null, description = null } = registration;
  const { flow = null, expose = null } = registration;
  const problems = [...nameProblems(name), ...takenProblems(name, taken), ...sizeProblems(template)];
  const output = checkOutput(registration.output, template);
  if ("problems" in output) problems.push(...output.problems);
  const result = "problems" in output ? null : output.result;
  const workflow: JsonWorkflow = {
    name,
    title,
    description,
    template,
    inputSchema,
    outputSchema,
    flow,
    expose,
    result,
  };
  problems.push(...(flow === null ? [] : flowControlProblems(flow)).map(({ path, message }) => ({
    code: "bad-flow",
    path: `/flow${path}`,
    message,
  })));
  problems.push(...schemaProblems("inputSchema", workflow), ...schemaProblems("outputSchema", workflow));
  if (problems.length > 0) return { problems };
  const definition = jsonDefinition(workflow);
  const found = validateDefinition(definition, operations);
  return found.length > 0
    ? { problems: found.map((problem) => placeOutput(problem, result)) }
    : { version: definitionVersion(definition, "") };
}

function takenProblems(name: string, taken: boolean): TemplateProblem[] {
  if (!taken) return [];
  return [{
    code: "name-taken",
    path: "/name",
    message: `Workflow "${name}" is given by a template file of this hub`,
    suggestion: "Register it under another name, or change the file",
  }];
}

function sizeProblems(template: Json): TemplateProblem[] {
  const { nodes, depth } = measure(template);
  if (depth > MAX_JSON_DEPTH) {
    return [{
      code: "too-deep",
      path: "/template",
      message: `The template is nested more than ${MAX_JSON_DEPTH} deep`,
    }];
  }
  if (nodes > MAX_NODES) {
    return [{
      code: "too-large",
      path: "/template",
      message: `The template has ${nodes} elements: want at most ${MAX_NODES}`,
      suggestion: "Use a map over data, or split it into child workflows",
    }];
  }
  const { length } = JSON.stringify(template);
  if (length <= MAX_TEMPLATE_LENGTH) return [];
  return [{
    code: "too-large",
    path: "/template",
    message: `The template has ${length} characters as JSON: want at most ${MAX_TEMPLATE_LENGTH}`,
    suggestion: "Hand big values in with the run's input",
  }];
}

/** Elements and depth of a JSON value, without recursion. */
function measure(template: Json): { readonly nodes: number; readonly depth: number } {
  let nodes = 0, depth = 0;
  const todo: { readonly value: unknown; readonly depth: number }[] = [{ value: template, depth: 1 }];
  for (let item = todo.pop(); item !== undefined; item = todo.pop()) {
    if (typeof item.value !== "object" || item.value === null) continue;
    depth = Math.max(depth, item.depth);
    if ("type" in item.value && "props" in item.value) nodes++;
    for (const value of Object.values(item.value)) todo.push({ value, depth: item.depth + 1 });
  }
  return { nodes, depth };
}

function schemaProblems(field: "inputSchema" | "outputSchema", workflow: JsonWorkflow): TemplateProblem[] {
  if (nameProblems(workflow.name).length > 0) return [];
  const only = {
    ...workflow,
    result: null,
    inputSchema: null,
    outputSchema: null,
    template: null,
    flow: null,
    expose: null,
    [field]: workflow[field],
  };
  try {
    jsonDefinition(only);
    return [];
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    return [{ code: "bad-schema", path: `/${field}`, message: error.message }];
  }
}
