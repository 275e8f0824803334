import type { CallToolRequest, ServerContext, StandardSchemaV1 } from "@modelcontextprotocol/server";
import { ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import { complete } from "../complete.ts";
import { isObject } from "../json.ts";
import { noteRefusal } from "../note_refusal.ts";
import { pageAfter } from "../page.ts";
import { toProtocolError } from "../protocol_error.ts";
import { principalOf } from "../session_context.ts";
import { thrownToResult } from "../tools/tool_result.ts";
import { HubServer, TaskAnswer } from "./hub_server.ts";
import type { ServerParts } from "./server_parts.ts";

/** Parameters are checked by their handler. */
const ANY: StandardSchemaV1<unknown, unknown> = {
  "~standard": { version: 1, vendor: "alkdev-hub", validate: (value: unknown) => ({ value }) },
};

/** A server for one session, or for one request where there are no sessions. `allTools`: every workflow is shown as a tool. */
export function createServer(parts: ServerParts, { allTools }: { readonly allTools: boolean }): HubServer {
  const { deps, tasks } = parts;
  const server = new HubServer(deps.version, parts.options);
  /** Errors leave as errors of the protocol. */
  const guard: Guard = (what, handle) => async (request, context) => {
    try {
      return await handle(request, context);
    } catch (error) {
      noteRefusal(deps, error, context);
      throw toProtocolError(error, deps.log, what);
    }
  };
  serveTools(server, parts, allTools, guard);
  serveResources(server, parts, guard);
  servePrompts(server, parts, guard);
  server.setRequestHandler(
    "completion/complete",
    guard("completion/complete", async ({ params }, context) => ({
      completion: await complete(parts, principalOf(context), params.ref, params.argument),
    })),
  );
  for (const name of ["get", "update", "cancel"] as const) {
    const method = `tasks/${name}`;
    server.setRequestHandler(
      method,
      { params: ANY },
      guard(method, (params: unknown, context: ServerContext) => tasks[name](params, context)),
    );
  }
  return server;
}

type Guard = <R, T>(
  what: string,
  handle: (request: R, context: ServerContext) => Promise<T>,
) => (request: R, context: ServerContext) => Promise<T>;

function serveTools(server: HubServer, { deps, tools }: ServerParts, allTools: boolean, guard: Guard): void {
  server.setRequestHandler(
    "tools/list",
    guard("tools/list", async ({ params }, context) => {
      const all = await tools.list(principalOf(context), allTools);
      const { items, nextCursor } = pageAfter(all, ({ view }) => view.name, params?.cursor);
      return { tools: items.map(({ view }) => view), ...(nextCursor !== undefined && { nextCursor }) };
    }),
  );
  server.setRequestHandler("tools/call", async ({ params }, context) => {
    const principal = principalOf(context);
    const tool = await tools.find(principal, params.name);
    if (tool === null) {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no tool "${params.name.slice(0, 128)}"`);
    }
    try {
      const args = isObject(params.arguments) ? params.arguments : {};
      const answer = await tool.call({ principal, args, context, capabilities: { ...server.getClientCapabilities() } });
      if ("taskId" in answer) throw new TaskAnswer(answer);
      return answer;
    } catch (error) {
      if (error instanceof ProtocolError || error instanceof TaskAnswer) throw error;
      noteRefusal(deps, error, context, subjectOf(params));
      return thrownToResult(error, deps.log, params.name);
    }
  });
}

/** The tool, and what it was to call. */
function subjectOf({ name, arguments: args }: CallToolRequest["params"]): string {
  const target = args?.["operationId"];
  return typeof target === "string" ? `${name} ${target}` : name;
}

function serveResources(server: HubServer, { resources }: ServerParts, guard: Guard): void {
  server.setRequestHandler(
    "resources/list",
    guard("resources/list", ({ params }, context) => resources.list(principalOf(context), params?.cursor)),
  );
  server.setRequestHandler(
    "resources/templates/list",
    guard(
      "resources/templates/list",
      (_, context) => Promise.resolve({ resourceTemplates: resources.templates(principalOf(context)) }),
    ),
  );
  server.setRequestHandler(
    "resources/read",
    guard(
      "resources/read",
      ({ params }, context) => resources.read(principalOf(context), params.uri, context.mcpReq.signal),
    ),
  );
}

function servePrompts(server: HubServer, { prompts }: ServerParts, guard: Guard): void {
  server.setRequestHandler(
    "prompts/list",
    guard("prompts/list", async ({ params }, context) => {
      const all = await prompts.list(principalOf(context));
      const { items, nextCursor } = pageAfter(all, ({ view }) => view.name, params?.cursor);
      return { prompts: items.map(({ view }) => view), ...(nextCursor !== undefined && { nextCursor }) };
    }),
  );
  server.setRequestHandler(
    "prompts/get",
    guard(
      "prompts/get",
      ({ params }, context) =>
        prompts.get(params.name, {
          principal: principalOf(context),
          args: params.arguments ?? {},
          context,
          capabilities: { ...server.getClientCapabilities() },
        }),
    ),
  );
}
