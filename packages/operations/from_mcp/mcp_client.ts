import { Client } from "@modelcontextprotocol/sdk/client";
// @ts-types="@modelcontextprotocol/sdk/types"
import { type Tool, ToolListChangedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import type { IOperationDefinition } from "../operation_context.ts";
import { mapMcpError } from "./map_mcp_error.ts";
import type { MCPClientConfig, MCPClientHooks } from "./mcp_client_config.ts";
import { endSession, explainConnecting, openTransport } from "./mcp_transport.ts";
import { outputValidator } from "./output_validator.ts";
import { type ToolCaller, toolOperation } from "./tool_operation.ts";

/** A connected server and what it offers. */
export interface MCPClientWrapper {
  /** The namespace of its operations. */
  readonly name: string;
  readonly client: Client;
  /** One for each tool that it had when it was asked. */
  readonly operations: readonly IOperationDefinition[];
  /** Asks again. `operations` stays as it is. @throws {CallError} `EXECUTION_ERROR` or `TIMEOUT` */
  refresh(): Promise<readonly IOperationDefinition[]>;
}

/**
 * Connects to an MCP server and makes a mutation of every tool, in the namespace `name`. A tool's dots become `_`. The answer
 * is an mcp envelope whose data is the tool's structured content, or else its content blocks. `context.signal` and
 * `context.deadlineMs` cancel the call at the server, and its progress goes to `context.progress`.
 *
 * @param version semantic version that we introduce ourselves with, and that the operations have
 * @param hooks told of the end of the connection and of changed tools
 * @throws {CallError} `EXECUTION_ERROR` or `TIMEOUT` when the server cannot be reached; nothing is left running then
 */
export async function createMCPClient(
  name: string,
  config: MCPClientConfig,
  version = "1.0.0",
  hooks: MCPClientHooks = {},
): Promise<MCPClientWrapper> {
  const client = new Client({ name, version }, { jsonSchemaValidator: outputValidator });
  const transport = openTransport(config);
  try {
    // The SDK's classes have `sessionId?: string` where its interface, read strictly, has no undefined.
    await client.connect(transport as Parameters<Client["connect"]>[0]);
    const caller = { client, namespace: name, version, timeoutMs: config.timeout };
    const { onClose, onToolsChanged } = hooks;
    if (onToolsChanged !== undefined) {
      client.setNotificationHandler(ToolListChangedNotificationSchema, () => onToolsChanged());
    }
    const operations = await listOperations(caller);
    if (onClose !== undefined) client.onclose = onClose;
    const refresh = async () => {
      try {
        return await listOperations(caller);
      } catch (error) {
        throw mapMcpError(error, `Listing the tools of MCP server "${name}"`, undefined);
      }
    };
    return { name, client, operations, refresh };
  } catch (error) {
    await client.close().catch(() => {});
    throw mapMcpError(explainConnecting(error), `Connecting to MCP server "${name}"`, undefined);
  }
}

/** Ends the session and the connection, and with it the server's process if we have started one. Done twice it does nothing. */
export async function closeMCPClient(wrapper: MCPClientWrapper): Promise<void> {
  await endSession(wrapper.client.transport);
  await wrapper.client.close();
}

async function listOperations(caller: ToolCaller): Promise<IOperationDefinition[]> {
  const names = new Set<string>();
  return (await listTools(caller.client)).map((tool) => {
    const operation = toolOperation(tool, freeName(tool.name.replaceAll(".", "_"), names), caller);
    names.add(operation.name);
    return operation;
  });
}

/** A server that always has one more page must not keep us here. */
const MAX_PAGES = 1_000;

async function listTools(client: Client): Promise<Tool[]> {
  if (client.getServerCapabilities()?.tools === undefined) return [];
  const tools: Tool[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const { tools: more, nextCursor } = await client.listTools(cursor === undefined ? {} : { cursor });
    tools.push(...more);
    if (nextCursor === undefined) return tools;
    cursor = nextCursor;
  }
  throw new Error(`its list of tools has more than ${MAX_PAGES} pages`);
}

function freeName(wanted: string, names: ReadonlySet<string>): string {
  let name = wanted;
  for (let count = 2; names.has(name); count++) name = `${wanted}_${count}`;
  return name;
}
