/** I9 over MCP: every method, tool, resource, prompt, completion, subscription and task, in both generations of the protocol. */
import assert from "node:assert/strict";
import { specTypeSchemas } from "@modelcontextprotocol/server";
import { FakeProvider } from "../support/fake_provider/fake_provider.ts";
import { type HubProcess, startHubProcess, until } from "./_hub_process.ts";
import { type AskMcp, askStateless, openMcpSession } from "./_mcp_calls.ts";
import { MCP_PROBES, METHODS } from "./_tenant_mcp.ts";
import { bare, furnish, nobodys, SECRET, withStranger } from "./_tenant_world.ts";

const METHOD_NOT_FOUND = /"code":-32601\b/;

Deno.test("a key of another organization gets nothing over MCP (I9)", async (t) => {
  const provider = new FakeProvider();
  const stranger = await withStranger({ egress: { allowPrivate: [new URL(provider.url).host] } });
  await using hub = await startHubProcess({ dataDir: stranger.dataDir });
  const { ids, socket } = await furnish(hub, provider);
  const none = nobodys(ids);
  const session = await openMcpSession(hub.url, stranger.key);
  const edges: readonly (readonly ["2025" | "2026", AskMcp, AskMcp])[] = [
    ["2025", session.ask, (await openMcpSession(hub.url, hub.key)).ask],
    ["2026", askStateless(hub.url, stranger.key), askStateless(hub.url, hub.key)],
  ];

  await t.step("every request of the protocol is known here", () => {
    const known = Object.keys(specTypeSchemas).filter((name) => name.endsWith("Request"));
    assert.deepEqual(known.filter((name) => !Object.hasOwn(METHODS, name)), []);
  });
  await t.step("a method without a probe is not served", async () => {
    for (const method of Object.values(METHODS)) {
      if (method === null || (MCP_PROBES[method] ?? []).length > 0 || method === "subscriptions/listen") continue;
      for (const [, ask] of edges) assert.match(await ask(method, {}), METHOD_NOT_FOUND, method);
    }
  });
  for (const [generation, ask, askOwner] of edges) {
    for (const [method, probes] of Object.entries(MCP_PROBES)) {
      for (const [at, { kind, params, only }] of probes.entries()) {
        if (only !== undefined && only !== generation) continue;
        await t.step(`${generation} ${method} ${at}`, async () => {
          const said = await ask(method, params(ids));
          assert.doesNotMatch(said, METHOD_NOT_FOUND);
          const mine = bare(JSON.parse(said), kind === "own" ? none : ids);
          assert.ok(!mine.includes(SECRET), mine.slice(0, 400));
          if (kind === "absent") {
            const unknown = bare(JSON.parse(await ask(method, params(none))), none);
            assert.equal(unnamed(mine), unnamed(unknown));
            return;
          }
          const { workflow: _workflow, ...telling } = ids;
          for (const [name, id] of Object.entries(telling)) assert.ok(!mine.includes(id), `${name}: ${mine}`);
        });
      }
    }
    await t.step(`${generation}: whoever owns them is told of all of these`, async () => {
      const listed = await askOwner("tools/call", { name: "hub.list", arguments: { namespace: "private" } });
      assert.match(listed, /private\.op/);
      assert.match(await askOwner("prompts/list", {}), /private-prompt/);
      assert.match(await askOwner("tools/list", {}), /private-tool/);
      assert.match(await askOwner("resources/list", {}), /private:\/\/private-resource/);
      assert.match(await askOwner("resources/read", { uri: `run://${ids.run}` }), new RegExp(SECRET));
    });
  }
  await t.step("a session is no other key's, to ask, to listen or to end", async () => {
    const headers = {
      "x-api-key": hub.key,
      "mcp-session-id": session.id,
      "mcp-protocol-version": "2025-11-25",
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
    };
    for (const method of ["GET", "POST", "DELETE"]) {
      const body = method === "POST" ? JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" }) : null;
      const response = await fetch(`${hub.url}/mcp`, { method, headers, body });
      await response.body?.cancel();
      assert.equal(response.status, 404, method);
    }
    assert.match(await session.ask("ping", {}), /"result"/);
  });
  await t.step("subscriptions/listen tells the owner of a change, and nobody else", async () => {
    const uri = `run://${ids.run}`;
    const [owners, strangers] = await Promise.all([listen(hub, hub.key, uri), listen(hub, stranger.key, uri)]);
    try {
      assert.equal((await hub.api("POST", `/api/runs/${ids.run}/pause`, { body: {} })).status, 200);
      await until(
        "the owner is told",
        () => Promise.resolve(owners.text().includes("notifications/resources/updated")),
      );
      assert.equal((await hub.api("POST", `/api/runs/${ids.run}/resume`, { body: {} })).status, 200);
      await until(
        "the owner is told again",
        () => Promise.resolve(owners.text().split("resources/updated").length > 2),
      );
      assert.ok(!strangers.text().includes("resources/updated"), strangers.text());
    } finally {
      await Promise.all([owners.end(), strangers.end()]);
    }
  });
  await t.step("what the stranger asked changed nothing", async () => {
    for (const run of [ids.run, ids.busy]) {
      assert.equal((await hub.api("GET", `/api/runs/${run}`)).body.status, "running");
    }
  });
  socket.close();
  await new Promise<void>((resolve) => socket.onclose = () => resolve());
  await provider.stop();
});

/** Without names of one organization or of nobody, and what of the asker's own is like them. */
function unnamed(text: string): string {
  return text.replace(/\b(private|nobodys)-(tool|prompt|resource)\b/g, "<$2>")
    .replace(/; did you mean [^?]*\?/g, "").replace(/,"similar":\[[^\]]*\]/g, "");
}

/** The stream of `subscriptions/listen`, read as it comes. */
async function listen(hub: HubProcess, key: string, uri: string) {
  const stop = new AbortController();
  const response = await fetch(`${hub.url}/mcp`, {
    method: "POST",
    signal: stop.signal,
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
        notifications: { resourceSubscriptions: [uri] },
        _meta: {
          "io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientCapabilities": {},
        },
      },
    }),
  });
  let text = "";
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body!) text += decoder.decode(chunk, { stream: true });
  })().catch(() => {});
  await until("the stream is acknowledged", () => Promise.resolve(text.includes("acknowledged")));
  return {
    text: () => text,
    async end(): Promise<void> {
      stop.abort();
      await reading;
    },
  };
}
