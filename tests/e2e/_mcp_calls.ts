/** Plain messages to `/mcp`, of a session (2025-11-25) and without one (2026-07-28). */
import assert from "node:assert/strict";

export type Fields = Readonly<Record<string, unknown>>;

/** Answers to one message, as text: the last that came. */
export type AskMcp = (method: string, params: Fields) => Promise<string>;

const ACCEPT = { "content-type": "application/json", accept: "application/json, text/event-stream" } as const;
const CAPABILITIES = { extensions: { "io.modelcontextprotocol/tasks": {} }, elicitation: {} } as const;

async function post(url: string, headers: Readonly<Record<string, string>>, body: Fields): Promise<string> {
  const response = await fetch(`${url}/mcp`, {
    method: "POST",
    headers: { ...ACCEPT, ...headers },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, ...body }),
    signal: AbortSignal.timeout(15_000),
  });
  const text = await response.text();
  if (text.startsWith("{")) return text;
  const found = text.split("\n").filter((line) => line.startsWith("data: {")).at(-1)?.slice(6);
  assert.ok(found !== undefined, `No answer: ${response.status} ${text}`);
  return found;
}

/** Requests of 2026-07-28. */
export function askStateless(url: string, key: string): AskMcp {
  return (method, params) => {
    const name = params["name"] ?? params["uri"] ?? params["taskId"];
    const headers = {
      "x-api-key": key,
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": method,
      ...(typeof name === "string" && { "mcp-name": name }),
    };
    const _meta = {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientCapabilities": CAPABILITIES,
    };
    return post(url, headers, { method, params: { ...params, _meta } });
  };
}

/** A session of 2025-11-25. */
export async function openMcpSession(url: string, key: string): Promise<{ readonly id: string; readonly ask: AskMcp }> {
  const headers = { "x-api-key": key, "mcp-protocol-version": "2025-11-25" };
  const response = await fetch(`${url}/mcp`, {
    method: "POST",
    headers: { ...ACCEPT, ...headers },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "1" } },
    }),
  });
  await response.body?.cancel();
  const id = response.headers.get("mcp-session-id");
  assert.ok(id !== null, `No session: ${response.status}`);
  return { id, ask: (method, params) => post(url, { ...headers, "mcp-session-id": id }, { method, params }) };
}
