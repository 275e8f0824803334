import assert from "node:assert/strict";
import { connectClient } from "./_test_clients.ts";
import { send } from "./_test_http.ts";
import { createElement } from "@alkdev/flowgraph";
import { startTestHub, workflow } from "./_test_hub.ts";

const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "test", version: "1" } },
};

function post(url: URL, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
  });
}

async function begin(url: URL, key = "admin", protocolVersion = "2025-06-18"): Promise<{ id: string; text: string }> {
  const body = JSON.stringify({ ...INITIALIZE, params: { ...INITIALIZE.params, protocolVersion } });
  const response = await post(url, body, { "x-api-key": key });
  const text = await response.text();
  return { id: response.headers.get("mcp-session-id") ?? "", text };
}

Deno.test("a session is its key's alone, and is gone after DELETE", async () => {
  await using hub = await startTestHub();
  const { id } = await begin(hub.url);
  const list = (key: string) =>
    post(hub.url, JSON.stringify({ jsonrpc: "2.0", id: 2, method: "tools/list" }), {
      "x-api-key": key,
      "mcp-session-id": id,
    });
  const statusOf = async (response: Promise<Response>) => {
    const { status, body } = await response;
    await body?.cancel();
    return status;
  };
  assert.equal(await statusOf(list("admin")), 200);
  assert.equal(await statusOf(list("other")), 404);
  const headers = { "x-api-key": "admin", "mcp-session-id": id };
  assert.equal(await statusOf(fetch(hub.url, { method: "DELETE", headers })), 200);
  assert.equal(await statusOf(list("admin")), 404);
});

for (const version of ["2025-06-18", "2025-11-25"]) {
  Deno.test(`initialize agrees on ${version}`, async () => {
    await using hub = await startTestHub();
    assert.match((await begin(hub.url, "admin", version)).text, new RegExp(`"protocolVersion":"${version}"`));
  });
}

Deno.test("server/discover needs no session", async () => {
  await using hub = await startTestHub();
  const { result } = await send(hub.url, "server/discover");
  assert.deepEqual(result?.["supportedVersions"], ["2026-07-28"]);
});

Deno.test("bodies that are too large, too deep or no JSON are refused", async () => {
  await using hub = await startTestHub();
  const deep = `${"[".repeat(30)}${"]".repeat(30)}`;
  for (const [body, status] of [[`"${"a".repeat(100_001)}"`, 413], [deep, 400], ["{", 400]] as const) {
    const response = await post(hub.url, body);
    assert.equal(response.status, status);
    assert.ok(typeof (await response.json()).error.code === "number");
  }
});

Deno.test("a page of another name is refused, by Origin and by Host", async () => {
  await using hub = await startTestHub();
  const body = JSON.stringify(INITIALIZE);
  const response = await post(hub.url, body, { origin: "http://evil.example" });
  assert.equal(response.status, 403);
  await response.body?.cancel();
  assert.match(await rawPost(hub.url, body), /^HTTP\/1\.1 403/);
});

/** `fetch` does not let one choose the host. */
async function rawPost(url: URL, body: string): Promise<string> {
  using connection = await Deno.connect({ hostname: url.hostname, port: Number(url.port) });
  const head = ["POST /mcp HTTP/1.1", "host: evil.example", "content-type: application/json", "connection: close"];
  await connection.write(
    new TextEncoder().encode(`${[...head, `content-length: ${body.length}`].join("\r\n")}\r\n\r\n${body}`),
  );
  return await new Response(connection.readable).text().catch(() => "");
}

Deno.test("a client whose stream broke takes it up again and gets the answer (2025-11-25)", async () => {
  await using hub = await startTestHub({
    workflows: [workflow("waits", createElement("signal", { key: "go", name: "go" }))],
  });
  const { id } = await begin(hub.url, "admin", "2025-11-25");
  const headers = { "mcp-session-id": id, "mcp-protocol-version": "2025-11-25" };
  await (await post(hub.url, JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" }), headers)).text();
  const call = { jsonrpc: "2.0", id: 2, method: "tools/call", params: { name: "waits", arguments: {} } };
  const stop = new AbortController();
  const response = await fetch(hub.url, {
    method: "POST",
    body: JSON.stringify(call),
    signal: stop.signal,
    headers: { ...headers, "content-type": "application/json", accept: "application/json, text/event-stream" },
  });
  let text = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (/^id: .+\n/m.test(text) && text.includes("\n\n")) break;
  }
  stop.abort();
  const caller = { identity: { id: "admin", scopes: ["*"] }, orgId: "default" };
  const [run] = (await hub.runs.list({ caller, limit: 1 })).items;
  assert.equal(run?.status, "running");
  const lastEventId = /^id: (.+)$/m.exec(text)?.[1] ?? "";
  await hub.runs.signal({ caller, runId: run?.id ?? "", name: "go", payload: "Went" });
  const again = await fetch(hub.url, {
    headers: { ...headers, accept: "text/event-stream", "last-event-id": lastEventId },
  });
  assert.equal(again.status, 200);
  let rest = "";
  for await (const chunk of again.body!.pipeThrough(new TextDecoderStream())) {
    rest += chunk;
    if (rest.includes('"id":2')) break;
  }
  assert.match(rest, /"text":"Went"/);
});

for (const generation of ["2025", "2026"] as const) {
  Deno.test(`a run that a client waits for is not aborted when the hub stops (${generation})`, async () => {
    const hub = await startTestHub({
      workflows: [workflow("waits", createElement("sleep", { key: "a", ms: 60_000 }))],
    });
    const client = await connectClient(hub.url, generation);
    const began = Promise.withResolvers<void>();
    const call = client.callTool({ name: "waits", arguments: {} }, { onprogress: () => began.resolve() });
    const ended = assert.rejects(call);
    await began.promise;
    await hub[Symbol.asyncDispose]();
    await client.close();
    await ended;
    const types = [...hub.store.runs.values()].flatMap(({ events }) => events.map(({ type }) => type));
    assert.deepEqual(types, ["run.created", "timer.set"]);
  });
}
