import type { Json } from "@alkdev/flowgraph";
import {
  CallError,
  collectErrors,
  hasScopeFor,
  operationId,
  type OperationSpec,
  OperationType,
} from "@alkdev/operations";
import type { Caller, WorkflowVersion } from "../runs/mod.ts";
import type { ToolCatalog } from "./ports.ts";
import type { SessionTools } from "./session.ts";

/** What a model is told of a tool. */
export interface Tool {
  readonly name: string;
  /** An operation's id, or `workflow.<name>`. */
  readonly operationId: string;
  readonly description: string;
  readonly parameters: Json;
}

/** A call that can be made. */
export interface ResolvedCall {
  readonly operationId: string;
  readonly input: Json;
  /** Whether a person is asked first. */
  readonly approve: boolean;
}

/** Providers take no more. */
const MAX_TOOLS = 128;
const MAX_NAME = 64;
const WORKFLOW = "workflow.";
const HUB_TOOLS: readonly string[] = ["hub.list", "hub.search", "hub.schema", "hub.call"];
/** Steps of the hub's own workflows: not for models. */
const INTERNAL: ReadonlySet<string> = new Set([
  "session.generate",
  "session.tool",
  "session.advance",
  "session.run",
  "session.turn",
  "session.step",
  "session.append",
  "session.delta",
  "session.finish",
  "inference.authorise",
  "inference.reserve",
  "inference.attempt",
  "inference.settle",
]);
const ANY_OBJECT: Json = { type: "object", properties: {}, additionalProperties: true };

/** What a session may call in a turn, as it is when the model is asked. */
export class ToolSet {
  readonly tools: readonly Tool[];
  readonly #catalog: ToolCatalog;
  readonly #caller: Caller;
  readonly #granted: SessionTools | null;
  readonly #workflows: ReadonlyMap<string, WorkflowVersion>;

  private constructor(
    params: {
      readonly catalog: ToolCatalog;
      readonly caller: Caller;
      readonly granted: SessionTools | null;
      readonly workflows: readonly WorkflowVersion[];
    },
  ) {
    const { catalog, caller, granted, workflows } = params;
    this.#catalog = catalog;
    this.#caller = caller;
    this.#granted = granted;
    this.#workflows = new Map(workflows.map((one) => [`${WORKFLOW}${one.name}`, one]));
    this.tools = this.#named();
  }

  static async of(
    params: { readonly catalog: ToolCatalog; readonly caller: Caller; readonly granted: SessionTools | null },
  ): Promise<ToolSet> {
    const { catalog, caller } = params;
    const known = await catalog.workflows(caller.orgId);
    const workflows = known.filter(({ name }) => hasScopeFor(caller.identity.scopes, "workflow:run", name));
    return new ToolSet({ ...params, workflows });
  }

  /**
   * The call that a model means, checked. `hub.call` is the call of what it names, with what holds for that.
   *
   * @throws CallError OPERATION_NOT_FOUND, ACCESS_DENIED, VALIDATION_ERROR with what is wrong, in words for the model
   */
  resolve(toolName: string, input: Json): ResolvedCall {
    const tool = this.tools.find(({ name, operationId: id }) => name === toolName || id === toolName);
    if (tool === undefined) throw unknownTool(toolName, this.tools);
    if (tool.operationId !== "hub.call") return this.#checked(tool.operationId, input);
    const spec = this.#catalog.spec(this.#caller, "hub.call");
    if (spec !== undefined) assertFits(spec, tool.operationId, input);
    const { operationId: wanted, input: inner } = input as { readonly operationId: string; readonly input?: Json };
    if (wanted === "hub.call") throw unknownTool(wanted, this.tools);
    if (!this.#mayCall(wanted)) {
      throw new CallError("ACCESS_DENIED", `"${wanted}" is not among what this session may call`, {
        operationId: wanted,
      });
    }
    return this.#checked(wanted, inner ?? {});
  }

  #checked(id: string, input: Json): ResolvedCall {
    const approve = matches(this.#granted?.approve ?? [], id);
    const workflow = this.#workflows.get(id);
    if (workflow !== undefined) return { operationId: id, input: workflow.decodeInput(input), approve };
    const spec = this.#catalog.spec(this.#caller, id);
    if (spec === undefined) throw new CallError("OPERATION_NOT_FOUND", `There is no operation "${id}"`);
    assertFits(spec, id, input);
    return { operationId: id, input, approve };
  }

  /** By `hub.call`: without a role whatever the owner may call. */
  #mayCall(id: string): boolean {
    if (INTERNAL.has(id)) return false;
    if (HUB_TOOLS.includes(id)) return true;
    if (id.startsWith(WORKFLOW)) {
      const name = id.slice(WORKFLOW.length);
      return this.#workflows.has(id) && (this.#granted === null || matches(this.#granted.workflows, name));
    }
    return this.#granted === null || matches(this.#granted.operations, id);
  }

  #named(): readonly Tool[] {
    const names = new Set<string>();
    const of = (id: string, description: string, schema: unknown): Tool => {
      const base = id.replace(/[^A-Za-z0-9_-]/g, "_").slice(0, MAX_NAME);
      let name = base;
      for (let n = 2; names.has(name); n++) name = `${base.slice(0, MAX_NAME - 4)}_${n}`;
      names.add(name);
      return { name, operationId: id, description, parameters: parametersOf(schema) };
    };
    const specs = this.#catalog.operations(this.#caller).map((spec) => ({ id: operationId(spec), spec }));
    const hub = specs.filter(({ id }) => HUB_TOOLS.includes(id));
    const granted = specs.filter(({ id, spec }) =>
      this.#granted !== null && !HUB_TOOLS.includes(id) && !INTERNAL.has(id) &&
      spec.type !== OperationType.SUBSCRIPTION && matches(this.#granted.operations, id)
    );
    const workflows = [...this.#workflows].filter(([, { name }]) =>
      this.#granted !== null && matches(this.#granted.workflows, name)
    );
    return [
      ...hub.map(({ id, spec }) => of(id, spec.description, spec.inputSchema)),
      ...granted.map(({ id, spec }) => of(id, spec.description, spec.inputSchema)),
      ...workflows.map(([id, one]) =>
        of(id, one.description ?? one.title ?? `Runs workflow ${one.name}`, one.inputSchema)
      ),
    ].slice(0, MAX_TOOLS);
  }
}

/** Whether one of the patterns is `id`, or a prefix of it with a `*` at its end. */
export function matches(patterns: readonly string[], id: string): boolean {
  return patterns.some((pattern) => pattern === id || pattern.endsWith("*") && id.startsWith(pattern.slice(0, -1)));
}

function assertFits(spec: OperationSpec, id: string, input: Json): void {
  const errors = collectErrors(spec.inputSchema, input);
  if (errors.length === 0) return;
  const lines = errors.slice(0, 8).map(({ path, message }) => `${path === "" ? "/" : path}: ${message}`);
  throw new CallError("VALIDATION_ERROR", `Input of "${id}" is not valid: ${lines.join("; ")}`, { errors });
}

function unknownTool(name: string, tools: readonly Tool[]): CallError {
  const known = tools.map((tool) => tool.name).join(", ");
  return new CallError("OPERATION_NOT_FOUND", `There is no tool "${name}"; there are ${known}`);
}

/** Providers want an object. */
function parametersOf(schema: unknown): Json {
  const plain: unknown = JSON.parse(JSON.stringify(schema ?? {}));
  if (typeof plain !== "object" || plain === null || !("type" in plain) || plain.type !== "object") return ANY_OBJECT;
  return plain as Json; // parsed from JSON
}
