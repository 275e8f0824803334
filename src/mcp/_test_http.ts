/** A plain HTTP client of 2026-07-28, without any SDK. */
import assert from "node:assert/strict";

const TASKS: Fields = { extensions: { "io.modelcontextprotocol/tasks": {} } };

export interface Answer {
  readonly status: number;
  readonly result?: Fields;
  readonly error?: Fields;
}
export type Fields = Readonly<Record<string, unknown>>;

/** One request; `params._meta` is filled in. The answer may come as JSON or as the last message of a stream. */
export async function send(
  url: URL,
  method: string,
  params: Fields = {},
  { key = "admin", capabilities = TASKS }: { readonly key?: string; readonly capabilities?: Fields } = {},
): Promise<Answer> {
  const name = params["name"] ?? params["uri"] ?? params["taskId"];
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": method,
      ...(typeof name === "string" && { "mcp-name": name }),
      "x-api-key": key,
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method,
      params: {
        ...params,
        _meta: {
          "io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientCapabilities": capabilities,
        },
      },
    }),
  });
  const text = await response.text();
  const last = text.startsWith("{")
    ? text
    : text.split("\n").filter((line) => line.startsWith("data: {")).at(-1)?.slice(6);
  assert.ok(last !== undefined, `No answer: ${response.status} ${text}`);
  return { status: response.status, ...JSON.parse(last) };
}

/** Asks for a task until it has a status. */
export async function taskUntil(url: URL, taskId: string, status: string, key = "admin"): Promise<Fields> {
  for (let look = 0; look < 200; look++) {
    const { result, error } = await send(url, "tasks/get", { taskId }, { key });
    assert.ok(result !== undefined, JSON.stringify(error));
    if (result["status"] === status) return result;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`Task ${taskId} did not become ${status}`);
}
