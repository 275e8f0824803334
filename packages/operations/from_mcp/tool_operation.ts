import { type TSchema, Type } from "@alkdev/typebox";
import type { Client } from "@modelcontextprotocol/sdk/client";
// @ts-types="@modelcontextprotocol/sdk/types"
import type { Tool } from "@modelcontextprotocol/sdk/types.js";
import { mcpEnvelope } from "../envelope.ts";
import { FromSchema } from "../from_schema.ts";
import { isObject, type JsonObject } from "../json_schema_keywords.ts";
import type { IOperationDefinition, OperationContext } from "../operation_context.ts";
import { OperationType } from "../operation_spec.ts";
import type { McpContentBlock, ResponseEnvelope } from "../response_envelope.ts";
import { mapMcpError } from "./map_mcp_error.ts";

const DEFAULT_TIMEOUT_MS = 60_000;

/** What a tool is called with, beside its input. */
export interface ToolCaller {
  readonly client: Client;
  readonly namespace: string;
  /** Semantic version of the operations. */
  readonly version: string;
  readonly timeoutMs: number | undefined;
}

/** A mutation that calls a tool. What the tool itself says is wrong is an envelope with `meta.isError`; the rest is thrown. */
export function toolOperation(tool: Tool, name: string, caller: ToolCaller): IOperationDefinition {
  const title = tool.title ?? tool.annotations?.title;
  return {
    name,
    namespace: caller.namespace,
    version: caller.version,
    type: OperationType.MUTATION,
    ...(title !== undefined && { title }),
    description: tool.description ?? title ?? `Tool ${tool.name} of ${caller.namespace}`,
    inputSchema: readSchema(tool.inputSchema) ?? Type.Object({}),
    outputSchema: readSchema(tool.outputSchema) ?? Type.Unknown(),
    accessControl: { requiredScopes: [] },
    _meta: { tool: tool.name, ...(tool.annotations !== undefined && { annotations: tool.annotations }) },
    handler: (input, context) => callTool(tool.name, input, context, caller),
  };
}

/** A schema that we cannot read leaves the check to the server. */
export function readSchema(schema: unknown): TSchema | undefined {
  if (schema === undefined) return undefined;
  try {
    return FromSchema(schema);
  } catch {
    return undefined;
  }
}

async function callTool(
  name: string,
  input: unknown,
  context: OperationContext,
  { client, namespace, timeoutMs }: ToolCaller,
): Promise<ResponseEnvelope> {
  const { signal, deadlineMs } = context;
  const timeout = deadlineMs === undefined ? timeoutMs ?? DEFAULT_TIMEOUT_MS : Math.max(1, deadlineMs - Date.now());
  try {
    // With CallToolResultSchema left to its default, which is the one of the current protocol.
    const result: unknown = await client.callTool({ name, arguments: isObject(input) ? { ...input } : {} }, undefined, {
      timeout,
      // A deadline stands whatever is heard before it.
      resetTimeoutOnProgress: deadlineMs === undefined,
      ...(signal !== undefined && { signal }),
      ...(context.progress !== undefined && { onprogress: (progress: unknown) => context.progress?.(progress) }),
    });
    return toEnvelope(isObject(result) ? result : {});
  } catch (error) {
    throw mapMcpError(error, `Tool "${name}" of MCP server "${namespace}"`, signal);
  }
}

function toEnvelope(result: JsonObject): ResponseEnvelope {
  const { structuredContent, _meta, isError, toolResult } = result;
  // The SDK has checked each block against the protocol's schema.
  const content = (Array.isArray(result["content"]) ? result["content"] : []) as McpContentBlock[];
  // toolResult is what servers of the first protocol revision answer.
  return mcpEnvelope(structuredContent ?? toolResult ?? content, {
    isError: isError === true,
    content,
    ...(isObject(structuredContent) && { structuredContent }),
    ...(isObject(_meta) && { _meta }),
  });
}
