import assert from "node:assert/strict";
import { createElement } from "@alkdev/flowgraph";
import type { PromptText } from "./mod.ts";
import { connectClient } from "./_test_clients.ts";
import { startTestHub, workflow } from "./_test_hub.ts";

const asks = workflow("asks", createElement("approval", { key: "go", question: "Go on?" }));
const caller = { identity: { id: "admin", scopes: ["*"] }, orgId: "default" };

for (const generation of ["2025", "2026"] as const) {
  Deno.test(`runs, graphs and workflows are resources (${generation})`, async () => {
    await using hub = await startTestHub({ workflows: [asks] });
    const { id } = await hub.runs.start({ caller, workflow: "asks", input: {} });
    const client = await connectClient(hub.url, generation);
    const read = async (uri: string) => {
      const [content] = (await client.readResource({ uri })).contents;
      return JSON.parse(content !== undefined && "text" in content ? content.text : "null");
    };
    const uris = (await client.listResources()).resources.map(({ uri }) => uri);
    assert.deepEqual(uris, ["workflow://asks", `run://${id}`]);
    assert.equal((await read(`run://${id}`)).status, "running");
    assert.equal((await read(`run://${id}/graph`)).nodes.length, 1);
    assert.equal((await read("workflow://asks")).name, "asks");
    await assert.rejects(read("run://0190a0a0-0000-7000-8000-000000000000"), /not found/i);
    const { completion } = await client.complete({
      ref: { type: "ref/resource", uri: "workflow://{name}" },
      argument: { name: "name", value: "as" },
    });
    assert.deepEqual(completion.values, ["asks"]);
    await client.close();
    const stranger = await connectClient(hub.url, generation, { key: "admin@other" });
    await assert.rejects(stranger.readResource({ uri: `run://${id}` }), /not found/i);
    await stranger.close();
  });
}

Deno.test("a subscriber is told when its run changes (2025)", async () => {
  await using hub = await startTestHub({ workflows: [asks] });
  const { id } = await hub.runs.start({ caller, workflow: "asks", input: {} });
  const client = await connectClient(hub.url, "2025");
  const told = Promise.withResolvers<string>();
  client.setNotificationHandler("notifications/resources/updated", ({ params }) => told.resolve(params.uri));
  await client.subscribeResource({ uri: `run://${id}` });
  await hub.runs.signal({ caller, runId: id, name: "go", payload: { approved: true } });
  assert.equal(await told.promise, `run://${id}`);
  await client.close();
});

Deno.test("subscriptions/listen tells of a run of one's own organization, and of no other (2026)", async () => {
  await using hub = await startTestHub({ workflows: [asks] });
  const { id } = await hub.runs.start({ caller, workflow: "asks", input: {} });
  const listen = (key: string, stop: AbortSignal) =>
    fetch(hub.url, {
      method: "POST",
      signal: stop,
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "subscriptions/listen",
        "x-api-key": key,
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "subscriptions/listen",
        params: {
          notifications: { resourceSubscriptions: [`run://${id}`] },
          _meta: {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
          },
        },
      }),
    });
  const stop = new AbortController();
  const own = textOf(await listen("admin", stop.signal));
  const other = textOf(await listen("admin@other", stop.signal));
  await own.has("acknowledged");
  await other.has("acknowledged");
  // A stream watches a run once it has read it; there is no word for that on the wire.
  while (!own.text().includes("resources/updated")) {
    await hub.runs.pause({ caller, runId: id });
    await hub.runs.resume({ caller, runId: id });
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.ok(!other.text().includes("resources/updated"));
  stop.abort();
  await Promise.all([own.done, other.done]);
});

Deno.test("texts of roles are prompts with the arguments that they name", async () => {
  const prompts: readonly PromptText[] = [
    { name: "reviewer", title: "Reviewer", description: null, text: "Review {{file}} for {{ reader }}." },
  ];
  await using hub = await startTestHub({ deps: { prompts: { list: () => Promise.resolve(prompts) } } });
  const client = await connectClient(hub.url, "2026");
  const [prompt] = (await client.listPrompts()).prompts;
  assert.deepEqual(prompt?.arguments?.map(({ name }) => name), ["file", "reader"]);
  const { messages } = await client.getPrompt({ name: "reviewer", arguments: { file: "a.ts", reader: "Ada" } });
  assert.deepEqual(messages[0]?.content, { type: "text", text: "Review a.ts for Ada." });
  await assert.rejects(client.getPrompt({ name: "reviewer", arguments: { file: "a.ts" } }), /"reader"/);
  await client.close();
});

function textOf(response: Response) {
  let text = "";
  const waiting = new Set<() => void>();
  const done = (async () => {
    try {
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        for (const wake of waiting) wake();
      }
    } catch {
      // The test has heard enough.
    }
  })();
  return {
    text: () => text,
    done,
    async has(part: string) {
      while (!text.includes(part)) await new Promise<void>((resolve) => waiting.add(resolve));
    },
  };
}

Deno.test("clients are told when the tools that they see change, also those of one key at once", async () => {
  await using hub = await startTestHub({ workflows: [asks], deps: { times: { listPoll: 5 } } });
  const clients = await Promise.all([connectClient(hub.url, "2025"), connectClient(hub.url, "2025")]);
  const told = clients.map((client) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    client.setNotificationHandler("notifications/tools/list_changed", () => resolve());
    return promise;
  });
  await clients[0]?.listTools();
  hub.publish(workflow("later", createElement("sleep", { key: "a", ms: 1 })));
  await Promise.all(told);
  await Promise.all(clients.map((client) => client.close()));
});
