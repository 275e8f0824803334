import {
  compile,
  type CompiledPlan,
  type FlowControl,
  isStatic,
  type Json,
  TemplateError,
  type WorkflowDefinition,
  type WorkflowExposure,
} from "@alkdev/flowgraph";
import { CallError } from "@alkdev/operations";
import type { PreparedPlan, WorkflowVersion } from "../runs/ports.ts";
import { contentHash } from "./content_hash.ts";
import { createInputDecoder, type InputDecoder } from "./decode_input.ts";

/** What a resolved version is made of. */
export interface VersionParts {
  readonly definition: WorkflowDefinition;
  readonly version: string;
  /** Null: not serialisable. */
  readonly template: Json | null;
}

/** A version that also knows the definition it came from. */
export class ResolvedVersion implements WorkflowVersion {
  readonly name: string;
  readonly version: string;
  readonly title: string | null;
  readonly description: string | null;
  readonly inputSchema: Json | null;
  readonly outputSchema: Json | null;
  declare readonly expose?: WorkflowExposure;
  declare readonly flow?: FlowControl;
  readonly serializable: boolean;
  readonly template: Json | null;
  readonly definition: WorkflowDefinition;
  readonly #decode: InputDecoder;
  readonly #static: boolean;
  #plan: PreparedPlan | null = null;

  constructor({ definition, version, template }: VersionParts) {
    this.name = definition.name;
    this.version = version;
    this.title = definition.title ?? null;
    this.description = definition.description ?? null;
    this.inputSchema = schemaJson(definition.inputSchema);
    this.outputSchema = schemaJson(definition.outputSchema);
    if (definition.expose !== undefined) this.expose = definition.expose;
    if (definition.flow !== undefined) this.flow = definition.flow;
    this.serializable = template !== null;
    this.template = template;
    this.definition = definition;
    this.#decode = createInputDecoder(definition.name, definition.inputSchema);
    this.#static = isStatic(definition);
  }

  /** Whether the template, and so the plan, is the same for every input. */
  get isStatic(): boolean {
    return this.#static;
  }

  decodeInput(input: unknown): Json {
    return this.#decode(input);
  }

  plan(input: Json): PreparedPlan {
    if (this.#plan !== null) return this.#plan;
    const prepared = prepare(this.#compile(input));
    if (this.#static) this.#plan = prepared;
    return prepared;
  }

  #compile(input: Json): CompiledPlan {
    try {
      return compile(this.definition, input);
    } catch (error) {
      const errors = error instanceof TemplateError
        ? error.problems.map(({ path, message }) => ({ path, message }))
        : [{ path: "", message: error instanceof Error ? error.message : String(error) }];
      const what = `Cannot make a plan of workflow "${this.name}": ${errors[0]?.message ?? "unknown problem"}`;
      throw new CallError("VALIDATION_ERROR", what, { errors }, { cause: error });
    }
  }
}

function prepare({ plan, functions }: CompiledPlan): PreparedPlan {
  return { hash: contentHash(JSON.stringify(plan)), plan, functions };
}

/** A schema as the JSON that it is on a wire. */
export function schemaJson(schema: object | null): Json | null {
  return schema === null ? null : JSON.parse(JSON.stringify(schema));
}
