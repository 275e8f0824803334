import assert from "node:assert/strict";
import { createElement, ref } from "@alkdev/flowgraph";
import { connectClient } from "./_test_clients.ts";
import { startTestHub, workflow } from "./_test_hub.ts";

const approval = (key: string, question: unknown, schema?: object) =>
  createElement("approval", { key, question: question as string, ...(schema !== undefined && { schema }) });
const echo = (key: string, value: unknown) =>
  createElement("operation", { key, name: "core.echo", input: { value: value as string } });

const publish = workflow("publish", [
  approval("confirm", "Publish it?", {
    type: "object",
    properties: { approved: { type: "boolean" }, note: { type: "string" } },
    required: ["approved"],
  }),
  echo("answer", { $ref: "nodes.confirm" }),
], { result: ref<{ value: object }>("answer").value });

const twice = workflow("twice", [
  approval("first", "First?"),
  approval("second", "Second?"),
  echo("both", [{ $ref: "nodes.first.approved" }, { $ref: "nodes.second.approved" }]),
]);

for (const generation of ["2025", "2026"] as const) {
  Deno.test(`a question of a run is asked of the client's user, and the answer goes on (${generation})`, async () => {
    await using hub = await startTestHub({ workflows: [publish] });
    const asked: unknown[] = [];
    const client = await connectClient(hub.url, generation, { capabilities: { elicitation: {} } });
    client.setRequestHandler("elicitation/create", ({ params }) => {
      asked.push(params);
      return { action: "accept", content: { approved: true, note: "Fine" } };
    });
    const result = await client.callTool({ name: "publish", arguments: {} });
    assert.deepEqual(result.structuredContent, { approved: true, note: "Fine" });
    assert.equal(asked.length, 1);
    assert.match(JSON.stringify(asked[0]), /"message":"Publish it\?".*"note"/);
    await client.close();
  });

  Deno.test(`a declined question answers the run with {declined: true} (${generation})`, async () => {
    await using hub = await startTestHub({ workflows: [publish] });
    const client = await connectClient(hub.url, generation, { capabilities: { elicitation: {} } });
    client.setRequestHandler("elicitation/create", () => ({ action: "decline" }));
    const result = await client.callTool({ name: "publish", arguments: {} });
    assert.deepEqual(result.structuredContent, { declined: true });
    await client.close();
  });

  Deno.test(`questions one after the other take a round each (${generation})`, async () => {
    await using hub = await startTestHub({ workflows: [twice] });
    const client = await connectClient(hub.url, generation, { capabilities: { elicitation: {} } });
    client.setRequestHandler("elicitation/create", ({ params }) => ({
      action: "accept",
      content: { approved: params.message === "Second?" },
    }));
    const result = await client.callTool({ name: "twice", arguments: {} });
    assert.deepEqual(result.structuredContent, { value: [false, true] });
    assert.equal(hub.store.runs.size, 1);
    await client.close();
  });

  Deno.test(`a client that cannot be asked is refused, and its run does not wait for ever (${generation})`, async () => {
    await using hub = await startTestHub({ workflows: [publish] });
    const client = await connectClient(hub.url, generation);
    const answer = await client.callTool({ name: "publish", arguments: {} }).catch((error) => ({
      isError: true,
      content: String(error),
    }));
    assert.equal(answer.isError, true);
    const caller = { identity: { id: "admin", scopes: ["*"] }, orgId: "default" };
    const [run] = (await hub.runs.list({ caller, limit: 1 })).items;
    assert.equal(run?.status, "aborted");
    await client.close();
  });
}
