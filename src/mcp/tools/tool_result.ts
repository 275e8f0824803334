import type { CallToolResult, ContentBlock } from "@modelcontextprotocol/server";
import { CallError, isResponseEnvelope } from "@alkdev/operations";
import { isObject } from "../json.ts";
import type { McpDeps } from "../ports.ts";
import { hidden } from "../protocol_error.ts";

/**
 * What a tool answers for a value: the value as structured content and as text. A value that is an answer of an MCP tool itself
 * (an envelope with source `mcp`, from a remote server or written by hand) is passed on as it is.
 */
export function toToolResult(value: unknown): CallToolResult {
  if (isResponseEnvelope(value) && value.meta.source === "mcp") {
    const { content, isError, structuredContent, _meta } = value.meta;
    return {
      content: content as ContentBlock[],
      ...(structuredContent !== undefined && { structuredContent: { ...structuredContent } }),
      ...(isError && { isError }),
      ...(_meta !== undefined && { _meta: { ..._meta } }),
    };
  }
  const text = typeof value === "string" ? value : JSON.stringify(value ?? null);
  return { content: [{ type: "text", text }], structuredContent: structured(value) };
}

/** Structured content is an object; another value stands under `output`. */
function structured(value: unknown): Record<string, unknown> {
  return isObject(value) ? { ...value } : { output: value ?? null };
}

/** What a tool answers when it fails: code and message, never a stack. */
export function toErrorResult(
  error: { readonly code: string; readonly message: string; readonly details?: unknown },
): CallToolResult {
  const { code, message, details } = error;
  return {
    isError: true,
    content: [{ type: "text", text: `${code}: ${message}` }],
    structuredContent: { error: { code, message, ...(details !== undefined && { details }) } },
  };
}

/** As {@linkcode toErrorResult} for whatever was thrown. */
export function thrownToResult(error: unknown, log: McpDeps["log"], tool: string): CallToolResult {
  if (error instanceof CallError) return toErrorResult(error);
  return toErrorResult({ code: "INTERNAL_ERROR", message: hidden(error, log, `tool ${tool}`) });
}
