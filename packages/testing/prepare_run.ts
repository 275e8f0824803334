import { compile, type CompiledPlan, type Json, type NamedTemplate, type WorkflowDefinition } from "@alkdev/flowgraph";
import { CallError, collectErrors } from "@alkdev/operations";
import type { TSchema } from "@alkdev/typebox";
import { Value } from "@alkdev/typebox/value";

/** What can be run: what `defineWorkflow` gives, or a template as JSON with a name. */
export type TestableWorkflow = WorkflowDefinition | NamedTemplate;

/** A compiled plan and the input it was compiled for. */
export interface PreparedRun extends CompiledPlan {
  readonly input: Json;
  readonly hash: string;
}

/**
 * Checks the input as the hub does, fills its defaults in and compiles.
 *
 * @throws CallError `VALIDATION_ERROR`, TemplateError
 */
export function prepareRun(workflow: TestableWorkflow, given: unknown): PreparedRun {
  const schema = "inputSchema" in workflow ? workflow.inputSchema : null;
  const input = schema === null ? asJson(given ?? null) : decode(workflow.name, schema, given);
  const compiled = compile(workflow, input);
  return { ...compiled, input, hash: planHash(JSON.stringify(compiled.plan)) };
}

function decode(name: string, schema: TSchema, given: unknown): Json {
  const absent = schema["type"] === "object" ? {} : null;
  const value = Value.Default(schema, Value.Clone(given === undefined ? absent : given));
  const errors = collectErrors(schema, value);
  const [first] = errors;
  if (first === undefined) return asJson(value);
  throw new CallError("VALIDATION_ERROR", `Cannot start workflow "${name}": input${first.path}: ${first.message}`, {
    errors,
  });
}

/** As it would come over a wire. */
function asJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value));
}

/** FNV-1a, twice 32 bits: names a plan within one test. */
function planHash(text: string): string {
  let a = 0x811c9dc5, b = 0xc9dc5118;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ (unit + i), 0x01000193);
  }
  return `plan-${(a >>> 0).toString(16)}${(b >>> 0).toString(16)}-${text.length}`;
}
