import assert from "node:assert/strict";
import { createElement } from "@alkdev/flowgraph";
import { Type } from "@alkdev/typebox";
import { connectClient, connectOldClient } from "./_test_clients.ts";
import { startTestHub, workflow } from "./_test_hub.ts";
import type { JsonObject } from "./json.ts";

const echo = (key: string, value: unknown) =>
  createElement("operation", { key, name: "core.echo", input: { value: value as string } });

const greet = workflow("greet", [echo("hello", "Hello"), echo("done", { $ref: "nodes.hello.value" })], {
  input: Type.Object({ name: Type.Optional(Type.String()) }),
  output: Type.Object({ value: Type.String() }),
});
const hidden = workflow("hidden", echo("a", 1), { expose: undefined } as never);
const fails = workflow(
  "fails",
  createElement("operation", {
    key: "a",
    name: "core.fail",
    input: { code: "TOO_BAD", message: "It failed" },
  }),
);

const GENERATIONS = ["2025", "2026"] as const;

for (const generation of GENERATIONS) {
  Deno.test(`tools/list shows the hub's four tools and workflows that are exposed (${generation})`, async () => {
    await using hub = await startTestHub({ workflows: [hidden, greet, fails] });
    const client = await connectClient(hub.url, generation);
    const { tools } = await client.listTools();
    const names = tools.map(({ name }) => name);
    assert.deepEqual(names, ["hub.list", "hub.search", "hub.schema", "hub.call", "fails", "greet"]);
    assert.deepEqual(tools.find(({ name }) => name === "greet")?.outputSchema?.["properties"], {
      value: { type: "string" },
    });
    await client.close();
    const all = await connectClient(new URL(`${hub.url}?tools=workflows`), generation);
    assert.ok((await all.listTools()).tools.some(({ name }) => name === "hidden"));
    await all.close();
  });

  Deno.test(`tools/call runs a workflow and gives structured content and progress (${generation})`, async () => {
    await using hub = await startTestHub({ workflows: [greet] });
    const client = await connectClient(hub.url, generation);
    const told: number[] = [];
    const result = await client.callTool({ name: "greet", arguments: {} }, {
      onprogress: ({ progress }) => told.push(progress),
    });
    assert.deepEqual(result.structuredContent, { value: "Hello" });
    assert.deepEqual(told, [0, 1, 2, 3]);
    await client.close();
  });

  Deno.test(`tools/call gives code and message when the run fails (${generation})`, async () => {
    await using hub = await startTestHub({ workflows: [fails] });
    const client = await connectClient(hub.url, generation);
    const result = await client.callTool({ name: "fails", arguments: {} });
    assert.equal(result.isError, true);
    assert.deepEqual(result.content, [{ type: "text", text: "TOO_BAD: It failed" }]);
    await client.close();
  });

  Deno.test(`a cancelled call aborts its run (${generation})`, async () => {
    await using hub = await startTestHub({
      workflows: [workflow("waits", createElement("sleep", { key: "a", ms: 60_000 }))],
    });
    const client = await connectClient(hub.url, generation);
    const stop = new AbortController();
    const call = client.callTool({ name: "waits", arguments: {} }, {
      signal: stop.signal,
      onprogress: () => stop.abort(),
    });
    await assert.rejects(call);
    const caller = { identity: { id: "admin", scopes: ["*"] }, orgId: "default" };
    const [run] = (await hub.runs.list({ caller, limit: 1 })).items;
    assert.ok(run !== undefined);
    const ended = await hub.runs.wait({ caller, runId: run.id, ms: 5_000 });
    assert.equal(ended.status, "aborted");
    await client.close();
  });
}

Deno.test("a client of SDK 1 lists, searches, reads schemas and calls", async () => {
  await using hub = await startTestHub({ workflows: [greet] });
  const client = await connectOldClient(hub.url);
  const call = async (name: string, args: Record<string, unknown>) =>
    (await client.callTool({ name, arguments: args })).structuredContent as JsonObject;
  const { items } = await call("hub.search", { query: "greet" });
  assert.deepEqual(items, [{ id: "workflow.greet", description: "Does greet" }]);
  const schema = await call("hub.schema", { operationId: "workflow.greet" });
  assert.deepEqual((schema["inputSchema"] as JsonObject)["properties"], { name: { type: "string" } });
  assert.deepEqual(await call("hub.call", { operationId: "workflow.greet", input: {} }), { value: "Hello" });
  assert.deepEqual(await call("hub.call", { operationId: "core.echo", input: { value: 3 } }), { value: 3 });
  const { error } = await call("hub.call", { operationId: "core.nothing" });
  assert.equal((error as JsonObject)["code"], "OPERATION_NOT_FOUND");
  await client.close();
});

Deno.test("tools/list costs under 1,500 tokens when the hub has 5,000 operations", async () => {
  const operations = Array.from({ length: 5000 }, (_, index) => ({
    namespace: "many",
    name: `operation${index}`,
    version: "1.0.0",
    type: "query" as const,
    description: `Does the thing with number ${index}`,
    inputSchema: Type.Object({ value: Type.String() }),
    outputSchema: Type.Unknown(),
    accessControl: { requiredScopes: [] },
    handler: () => index,
  }));
  await using hub = await startTestHub({ operations });
  const client = await connectClient(hub.url, "2026");
  const text = JSON.stringify(await client.listTools()) + (client.getInstructions() ?? "");
  // Three characters a token is more than JSON costs any model.
  assert.ok(text.length / 3 < 1500, `${text.length} characters`);
  const found = await client.callTool({ name: "hub.search", arguments: { query: "number 4321", limit: 3 } });
  assert.ok(JSON.stringify(found.structuredContent).includes("many.operation4321"));
  await client.close();
});

Deno.test("a key sees and calls only what its scopes allow", async () => {
  await using hub = await startTestHub({ workflows: [greet], scopes: { reader: ["operation:read", "run:read"] } });
  const client = await connectClient(hub.url, "2026", { key: "reader" });
  const { tools } = await client.listTools();
  assert.ok(!tools.some(({ name }) => name === "greet"));
  const workflowCall = await client.callTool({ name: "hub.call", arguments: { operationId: "workflow.greet" } });
  assert.match(JSON.stringify(workflowCall.content), /ACCESS_DENIED.*workflow:run/);
  const operationCall = await client.callTool({
    name: "hub.call",
    arguments: { operationId: "core.echo", input: { value: 1 } },
  });
  assert.match(JSON.stringify(operationCall.content), /ACCESS_DENIED.*operation:call/);
  await client.close();
});
