import { isDeeper } from "../json.ts";
import type { McpLimits } from "../ports.ts";
import { errorResponse } from "./responses.ts";

/** A request's body as JSON, or the response that refuses it. Undefined: there is none. */
export async function readBody(request: Request, limits: McpLimits): Promise<{ readonly value: unknown } | Response> {
  if (request.method !== "POST" || request.body === null) return { value: undefined };
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), limits.bodySeconds * 1000);
  const read = readText(request.body, limits.bodyBytes).then((text) => ({ text }), () => undefined);
  const result = await Promise.race([read, late.promise]);
  clearTimeout(timer);
  if (result === "late") {
    return errorResponse(408, -32600, `Body was not complete after ${limits.bodySeconds} seconds`);
  }
  const text = result?.text;
  // The client has gone, or sends what is no HTTP or no UTF-8.
  if (text === undefined) return errorResponse(400, -32700, "Body ended before it was complete, or is not UTF-8");
  if (text === null) return errorResponse(413, -32600, `Body is too large: wanted at most ${limits.bodyBytes} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return errorResponse(400, -32700, "Body is not JSON");
  }
  if (isDeeper(value, limits.jsonDepth)) {
    return errorResponse(400, -32600, `Body is nested too deeply: wanted at most ${limits.jsonDepth} levels`);
  }
  return { value };
}

/** Null: it is longer than `limit` bytes. */
async function readText(body: ReadableStream<Uint8Array>, limit: number): Promise<string | null> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > limit) return null;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
