import { operationId, type OperationSpec, schemaSource } from "@alkdev/operations";
import type { Principal } from "../../auth/mod.ts";
import type { WorkflowVersion } from "../../runs/mod.ts";
import { exposureOf } from "../exposure.ts";
import type { McpDeps } from "../ports.ts";
import { may, mayOn } from "../rights.ts";
import type { CallWorkflow } from "./call_workflow.ts";
import { hubTools } from "./hub_tools.ts";
import type { HubTool } from "./tool.ts";
import { toToolResult } from "./tool_result.ts";
import { toInput, toInputSchema, toOutputSchema } from "./tool_schema.ts";

/** The tools that a caller is shown, and those that it can call. */
export class ToolCatalog {
  readonly #deps: McpDeps;
  readonly #callWorkflow: CallWorkflow;
  readonly #hubTools: readonly HubTool[];

  constructor(deps: McpDeps, callWorkflow: CallWorkflow) {
    this.#deps = deps;
    this.#callWorkflow = callWorkflow;
    this.#hubTools = hubTools(deps, callWorkflow);
  }

  /** In a fixed order: the four of the hub, workflows, operations. `all`: also workflows that do not ask for it. */
  async list(principal: Principal, all: boolean): Promise<readonly HubTool[]> {
    const tools = new Map<string, HubTool>();
    for (const tool of this.#hubTools) tools.set(tool.view.name, tool);
    for (const workflow of await this.#workflows(principal)) {
      if (workflow.expose === "prompt" || (workflow.expose === undefined && !all)) continue;
      const tool = this.#workflowTool(workflow);
      if (!tools.has(tool.view.name)) tools.set(tool.view.name, tool);
    }
    for (const { spec, name } of this.#operations(principal)) {
      if (!tools.has(name)) tools.set(name, this.#operationTool(spec, name));
    }
    return [...tools.values()];
  }

  /** Any workflow is found by its name, shown or not. */
  async find(principal: Principal, name: string): Promise<HubTool | null> {
    const own = this.#hubTools.find(({ view }) => view.name === name);
    return own ?? (await this.list(principal, true)).find(({ view }) => view.name === name) ?? null;
  }

  async #workflows({ orgId, ...rest }: Principal): Promise<readonly WorkflowVersion[]> {
    if (!may({ orgId, ...rest }, "workflow:run")) return [];
    const all = await this.#deps.workflows.list({ orgId });
    return all.filter(({ name }) => mayOn({ orgId, ...rest }, name, "workflow:run")).sort((left, right) =>
      left.name < right.name ? -1 : 1
    );
  }

  #operations(principal: Principal): readonly { readonly spec: OperationSpec; readonly name: string }[] {
    if (!may(principal, "operation:call")) return [];
    return this.#deps.operations.list(principal).flatMap((spec) => {
      const name = exposureOf(spec).tool;
      return name === undefined || !mayOn(principal, operationId(spec), "operation:call") ? [] : [{ spec, name }];
    }).sort((left, right) => left.name < right.name ? -1 : 1);
  }

  #workflowTool(workflow: WorkflowVersion): HubTool {
    const { name, title, description, inputSchema, outputSchema, expose = "tool" } = workflow;
    const output = toOutputSchema(outputSchema);
    return {
      view: {
        name: toolName(name),
        ...(title !== null && { title }),
        description: description ?? title ?? `Runs workflow ${name}`,
        inputSchema: toInputSchema(inputSchema),
        ...(output !== undefined && { outputSchema: output }),
      },
      call: (call) => this.#callWorkflow({ ...call, name, input: toInput(inputSchema, call.args), exposure: expose }),
    };
  }

  #operationTool(spec: OperationSpec, name: string): HubTool {
    const { title, description, type } = spec;
    const inputSchema = schemaSource(spec.inputSchema);
    const outputSchema = schemaSource(spec.outputSchema);
    const output = toOutputSchema(outputSchema);
    return {
      view: {
        name,
        ...(title !== undefined && { title }),
        description: description === "" ? title ?? operationId(spec) : description,
        inputSchema: toInputSchema(inputSchema),
        ...(output !== undefined && { outputSchema: output }),
        annotations: { readOnlyHint: type === "query" },
      },
      call: async ({ principal, args, context }) => {
        const envelope = await this.#deps.operations.call({
          caller: principal,
          operationId: operationId(spec),
          input: toInput(inputSchema, args),
          signal: context.mcpReq.signal,
        });
        return toToolResult(envelope.meta.source === "mcp" ? envelope : envelope.data);
      },
    };
  }
}

/** Tool names have no slash. */
function toolName(workflow: string): string {
  return workflow.replaceAll("/", ".");
}
