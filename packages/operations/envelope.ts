import type { HttpResponseMeta, McpResponseMeta, ResponseEnvelope, ResponseMeta } from "./response_envelope.ts";

/** The known values of `meta.source`: plain strings, so that an envelope is still one after JSON. */
export const RESPONSE_SOURCES: readonly ResponseMeta["source"][] = ["local", "http", "mcp"];

/**
 * Whether `value` has `data` (perhaps undefined) and a known `meta.source`. JSON drops an undefined `data`: a reader of the
 * wire puts it back before it asks.
 */
export function isResponseEnvelope(value: unknown): value is ResponseEnvelope {
  if (typeof value !== "object" || value === null || !("data" in value) || !("meta" in value)) return false;
  const { meta } = value;
  if (typeof meta !== "object" || meta === null || !("source" in meta)) return false;
  const { source } = meta;
  return source === "local" || source === "http" || source === "mcp";
}

/** Wraps what a local handler answered, stamped with the time. */
export function localEnvelope<T>(data: T, operationId: string): ResponseEnvelope<T> {
  return { data, meta: { source: "local", operationId, timestamp: Date.now() } };
}

/** Wraps what an HTTP service answered. */
export function httpEnvelope<T>(data: T, meta: Omit<HttpResponseMeta, "source">): ResponseEnvelope<T> {
  return { data, meta: { source: "http", ...meta } };
}

/** Wraps what an MCP tool answered. A tool's own error is an envelope with `meta.isError`, never a throw. */
export function mcpEnvelope<T>(data: T, meta: Omit<McpResponseMeta, "source">): ResponseEnvelope<T> {
  return { data, meta: { source: "mcp", ...meta } };
}

/** The data of an envelope. */
export function unwrap<T>(envelope: ResponseEnvelope<T>): T {
  return envelope.data;
}
