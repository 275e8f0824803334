/** An MCP server over stdio, for a test: its tool `swap` puts another one in the place of `old` and says so. */
import { createInterface } from "node:readline";
import process from "node:process";

let tools = ["swap", "old"];

function answer(method: string, params: { readonly protocolVersion?: string }): object {
  if (method === "initialize") {
    const serverInfo = { name: "growing", version: "1.0.0" };
    return { protocolVersion: params.protocolVersion, capabilities: { tools: { listChanged: true } }, serverInfo };
  }
  if (method === "tools/list") return { tools: tools.map((name) => ({ name, inputSchema: { type: "object" } })) };
  tools = ["swap", "new"];
  say({ method: "notifications/tools/list_changed" });
  return { content: [] };
}

function say(message: object): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (id !== undefined) say({ id, result: answer(method, params ?? {}) });
}
