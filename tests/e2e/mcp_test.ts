/** The MCP endpoint of a real hub, by a plain HTTP client. */
import assert from "node:assert/strict";
import { type HubProcess, startHubProcess } from "./_hub_process.ts";

async function rpc(
  hub: HubProcess,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
  key: string | null = hub.key,
) {
  const response = await fetch(`${hub.url}/mcp`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...headers,
    },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  // A stream may tell of progress first: the answer is the message with an id.
  const messages = text.startsWith("{") ? [text] : [...text.matchAll(/^data: ?(\{.*)$/gm)].map(([, data]) => data!);
  const json = messages.find((message) => "id" in JSON.parse(message));
  return { status: response.status, headers: response.headers, body: json === undefined ? null : JSON.parse(json) };
}

Deno.test("a plain HTTP client initializes, lists the tools, runs a workflow and is refused without a key", async () => {
  await using hub = await startHubProcess();
  const initialize = {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "plain", version: "1" } },
  };
  assert.equal((await rpc(hub, initialize, {}, null)).status, 401);
  const opened = await rpc(hub, initialize);
  assert.equal(opened.status, 200, JSON.stringify(opened.body));
  assert.equal(opened.body.result.protocolVersion, "2025-06-18");
  const session = opened.headers.get("mcp-session-id");
  const headers = { "mcp-protocol-version": "2025-06-18", ...(session !== null && { "mcp-session-id": session }) };
  await rpc(hub, { jsonrpc: "2.0", method: "notifications/initialized" }, headers);
  const tools = await rpc(hub, { jsonrpc: "2.0", id: 2, method: "tools/list" }, headers);
  const names = tools.body.result.tools.map((tool: { name: string }) => tool.name);
  for (const name of ["hub.list", "hub.search", "hub.schema", "hub.call"]) {
    assert.ok(names.includes(name), `${name} of ${names}`);
  }
  const unreadable = { jsonrpc: "2.0", id: 9, method: "prompts/get", params: { name: "x", arguments: 5 } };
  const refused = await rpc(hub, unreadable, headers);
  assert.equal(refused.body.error.code, -32602, "the client's mistake, not ours");
  assert.match(refused.body.error.message, /params\.arguments/);
  const call = await rpc(hub, {
    jsonrpc: "2.0",
    id: 3,
    method: "tools/call",
    params: { name: "hub.call", arguments: { operationId: "workflow.hello", input: { name: "Ada" } } },
  }, headers);
  assert.match(JSON.stringify(call.body.result), /Ada/);
  assert.notEqual(call.body.result.isError, true);
  const runs = await hub.api<{ items: { workflow: string; status: string }[] }>("GET", "/api/runs?workflow=hello");
  assert.deepEqual(runs.body.items.map(({ status }) => status), ["completed"]);
});
