import {
  createElement,
  defineWorkflow,
  type Element,
  type FlowControl,
  type Json,
  type Reference,
  serializable,
  type Template,
  type WorkflowDefinition,
} from "@alkdev/flowgraph";
import { FromSchema, type FromSchemaOptions } from "@alkdev/operations";
import { contentHash, VERSION_LENGTH } from "./content_hash.ts";
import type { StoredWorkflow } from "./workflow_store.ts";
import { ResolvedVersion, schemaJson } from "./workflow_version.ts";

/**
 * Resolves a definition. Its version is the hash of the template as JSON and of the schemas; where the template has
 * functions, of `sourceDigest`: the text that they were written in.
 */
export function definitionVersion(definition: WorkflowDefinition, sourceDigest: string): ResolvedVersion {
  const template = templateJson(definition);
  const hash = template === null ? sourceDigest : contentHash(
    JSON.stringify([
      template,
      schemaJson(definition.inputSchema),
      schemaJson(definition.outputSchema),
      ...(definition.flow === undefined ? [] : [definition.flow]),
    ]),
  );
  return new ResolvedVersion({ definition, version: hash.slice(0, VERSION_LENGTH), template });
}

const WITHOUT_OPERATIONS: ReadonlySet<Element["type"]> = new Set([
  "approval",
  "signal",
  "sleep",
  "sleepuntil",
  "workflow",
]);

/** The one root element that says all a definition says of its plan, as JSON; null when the template has functions. */
function templateJson(definition: WorkflowDefinition): Json | null {
  const { template, result, failurePolicy, budget, retry, timeout } = definition;
  if (typeof template === "function" || !serializable(template)) return null;
  const whole = createElement("sequential", {}, template);
  const [first] = whole.children;
  const root: Element = whole.children.length === 1 && first !== undefined ? first : whole;
  // As it is said of its operations, on a single wait or child run it says nothing; on a single operation its own comes first.
  const holds = !WITHOUT_OPERATIONS.has(root.type);
  const props = {
    ...(holds && retry !== undefined && { retry }),
    ...(holds && timeout !== undefined && { timeout }),
    ...root.props,
    ...(result !== null && { output: result }),
    ...(failurePolicy !== undefined && { failurePolicy }),
    ...(budget !== undefined && { budget }),
  };
  return JSON.parse(JSON.stringify({ type: root.type, props, children: root.children }));
}

/** What makes a definition of JSON. */
export interface JsonWorkflow extends Omit<StoredWorkflow, "orgId" | "version"> {
  /** The run's output, given beside the template. Null: what the template's root says. */
  readonly result?: Reference | null;
}

/**
 * The definition that JSON stands for. The template is read only when it is compiled.
 *
 * @throws CallError `VALIDATION_ERROR` when a schema is none
 */
export function jsonDefinition(workflow: JsonWorkflow, schemas: FromSchemaOptions = {}): WorkflowDefinition {
  const { name, title, description, template, inputSchema, outputSchema, flow, expose, result = null } = workflow;
  return defineWorkflow({
    name,
    ...(title !== null && { title }),
    ...(description !== null && { description }),
    ...(inputSchema !== null && { input: FromSchema(inputSchema, schemas) }),
    ...(outputSchema !== null && { outputSchema: FromSchema(outputSchema, schemas) }),
    ...(result !== null && { result }),
    ...(expose !== null && { expose }),
    ...(flow != null && { flow: flow as FlowControl }), // defineWorkflow checks it
    // The compiler checks every element that it is given, wherever it came from.
    template: template as unknown as Template,
  });
}

/** Resolves what was kept. @throws CallError `VALIDATION_ERROR` when a schema is not readable for this release */
export function storedVersion(stored: StoredWorkflow): ResolvedVersion {
  return new ResolvedVersion({
    // A file's schemas were made in code, where RegExp does.
    definition: jsonDefinition(stored, { patterns: stored.orgId === null ? "native" : "linear" }),
    version: stored.version,
    template: stored.template,
  });
}
