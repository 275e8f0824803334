import { CallError, collectErrors, unpinnedId } from "@alkdev/operations";
import { type Static, type TObject, Type } from "@alkdev/typebox";
import { Value } from "@alkdev/typebox/value";
import type { McpDeps } from "../ports.ts";
import { assertMayOn } from "../rights.ts";
import { type Callable, callables, search, toCallable, WORKFLOW_PREFIX } from "./catalog.ts";
import type { CallWorkflow } from "./call_workflow.ts";
import type { HubTool, ToolAnswer, ToolCall } from "./tool.ts";
import { toToolResult } from "./tool_result.ts";

const PAGE = 50;
/** Of a description in a list, in characters: lists are for models to choose from. */
const LINE = 120;

/** The four tools through which everything else can be found and called, so that a client need not be told of it all. */
export function hubTools(deps: McpDeps, callWorkflow: CallWorkflow): readonly HubTool[] {
  return [listTool(deps), searchTool(deps), schemaTool(deps), callTool(deps, callWorkflow)];
}

function listTool(deps: McpDeps): HubTool {
  return define({
    name: "hub.list",
    description: "List operations and workflows you can call: ids with one line each. Prefer hub.search.",
    readOnly: true,
    input: Type.Object({
      namespace: Type.Optional(Type.String({ description: "Only ids that start with it" })),
      cursor: Type.Optional(Type.String()),
    }),
    async call({ namespace, cursor = "" }, { principal }) {
      const all = (await callables(deps, principal)).filter(({ id }) =>
        namespace === undefined || id.startsWith(`${namespace}.`)
      );
      const rest = all.filter(({ id }) => id > cursor);
      const items = rest.slice(0, PAGE).map(lineOf);
      const last = items.at(-1);
      const next = rest.length > PAGE && last !== undefined ? { nextCursor: last.id } : {};
      return toToolResult({ total: all.length, items, ...next });
    },
  });
}

function searchTool(deps: McpDeps): HubTool {
  return define({
    name: "hub.search",
    description: "Find operations and workflows by words; best first. Then hub.schema, then hub.call.",
    readOnly: true,
    input: Type.Object({
      query: Type.String({ maxLength: 1000 }),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 50, default: 10 })),
    }),
    async call({ query, limit = 10 }, { principal }) {
      const found = search(await callables(deps, principal), query);
      return toToolResult({ total: found.length, items: found.slice(0, limit).map(lineOf) });
    },
  });
}

function schemaTool(deps: McpDeps): HubTool {
  return define({
    name: "hub.schema",
    description: "Input and output schema of one operation or workflow.",
    readOnly: true,
    input: Type.Object({ operationId: Type.String() }),
    async call({ operationId: id }, { principal }) {
      const found = await requireCallable(deps, principal, id);
      const { title, description, inputSchema, outputSchema } = found;
      return toToolResult({ id, ...(title !== null && { title }), description, inputSchema, outputSchema });
    },
  });
}

function callTool(deps: McpDeps, callWorkflow: CallWorkflow): HubTool {
  return define({
    name: "hub.call",
    description: "Call an operation, or run a workflow (id workflow.<name>), with an input that fits its schema.",
    readOnly: false,
    input: Type.Object({
      operationId: Type.String(),
      input: Type.Optional(Type.Unknown({ description: "Default {}" })),
    }),
    async call({ operationId: id, input = {} }, call) {
      const { principal, context } = call;
      if (id.startsWith(WORKFLOW_PREFIX)) {
        const [name = "", version] = id.slice(WORKFLOW_PREFIX.length).split("@");
        return callWorkflow({ ...call, name, ...(version !== undefined && { version }), input, exposure: "tool" });
      }
      assertMayOn(principal, `call operation "${id}"`, unpinnedId(id), "operation:call");
      const { signal } = context.mcpReq;
      const envelope = await deps.operations.call({ caller: principal, operationId: id, input, signal });
      return toToolResult(envelope.meta.source === "mcp" ? envelope : envelope.data);
    },
  });
}

async function requireCallable(deps: McpDeps, principal: ToolCall["principal"], id: string): Promise<Callable> {
  const all = await callables(deps, principal);
  const found = all.find((it) => it.id === id);
  if (found !== undefined) return found;
  // One version of an operation that is served in another.
  const version = all.some((it) => it.id === unpinnedId(id)) ? deps.operations.spec(principal, id) : undefined;
  if (version !== undefined) return toCallable(id, version);
  const similar = search(all, id).slice(0, 3).map((it) => it.id);
  const hint = similar.length === 0 ? "" : `; did you mean ${similar.map((it) => `"${it}"`).join(" or ")}?`;
  throw new CallError("OPERATION_NOT_FOUND", `There is no operation or workflow "${id}"${hint}`, { id, similar });
}

function lineOf({ id, title, description }: Callable): { readonly id: string; readonly description: string } {
  const text = (description === "" ? title ?? "" : description).split("\n")[0] ?? "";
  return { id, description: text.length > LINE ? `${text.slice(0, LINE - 1)}…` : text };
}

function define<T extends TObject>(tool: {
  readonly name: string;
  readonly description: string;
  readonly readOnly: boolean;
  readonly input: T;
  call(input: Static<T>, call: ToolCall): Promise<ToolAnswer>;
}): HubTool {
  const { name, description, readOnly, input } = tool;
  return {
    view: {
      name,
      description,
      inputSchema: JSON.parse(JSON.stringify(input)),
      annotations: { readOnlyHint: readOnly },
    },
    call(call) {
      const { args } = call;
      if (Value.Check(input, args)) return tool.call(args, call);
      const errors = collectErrors(input, args);
      const text = errors.map(({ path, message }) => `argument "${path.slice(1)}" ${message}`).join("; ");
      throw new CallError("VALIDATION_ERROR", `Cannot call tool "${name}": ${text}`, { errors });
    },
  };
}
