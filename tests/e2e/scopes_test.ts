/** Scopes narrowed to some workflows, operations and spokes hold on every edge alike: HTTP, MCP and sockets. */
import assert from "node:assert/strict";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { type HubProcess, operation, startHubProcess } from "./_hub_process.ts";

const SCOPES = [
  "workflow:read:report-*",
  "workflow:run:report-*",
  "run:read:report-*",
  "run:write:report-*",
  "operation:read",
  "operation:call:core.*",
  "spoke:connect:build-*",
];

async function makeKey(hub: HubProcess, scopes: readonly string[], key = hub.key) {
  const body = { name: "narrow", scopes };
  return await hub.api<{ key: string; code?: string }>("POST", "/api/keys", { key, body });
}

async function openSocket(hub: HubProcess, key: string) {
  const socket = new WebSocket(`${hub.url.replace("http", "ws")}/ws`, ["alkdev.v1", `bearer.${key}`]);
  await new Promise<void>((resolve) => socket.onopen = () => resolve());
  let next = 0;
  return {
    ask: (operationId: string, input: unknown) =>
      new Promise<string>((resolve) => {
        socket.addEventListener("message", (event) => resolve(String(event.data)), { once: true });
        const payload = { requestId: `r${next++}`, operationId, input };
        socket.send(JSON.stringify({ type: "call.requested", id: "", payload }));
      }),
    async close() {
      socket.close();
      await new Promise<void>((resolve) => socket.onclose = () => resolve());
    },
  };
}

Deno.test("narrowed scopes hold for what they name and nothing else, on every edge", async (t) => {
  await using hub = await startHubProcess();
  const runs: Record<string, string> = {};
  for (const name of ["report-daily", "payroll"]) {
    const template = operation("core.echo", "a", { value: name });
    await hub.api("PUT", `/api/workflows/${name}`, { body: { template } });
    const run = await hub.api<{ id: string }>("POST", `/api/workflows/${name}/runs`, {
      body: {},
      headers: { prefer: "wait=10" },
    });
    runs[name] = run.body.id;
  }
  const { body: { key } } = await makeKey(hub, SCOPES);
  const status = async (method: string, path: string, body?: unknown) => {
    const answer = await hub.api<{ code?: string }>(method, path, { key, ...(body !== undefined && { body }) });
    return `${answer.status} ${answer.body.code ?? ""}`.trim();
  };

  await t.step("HTTP: workflows, their runs and operations by name", async () => {
    assert.equal(await status("GET", "/api/workflows/report-daily"), "200");
    assert.equal(await status("GET", "/api/workflows/payroll"), "403 ACCESS_DENIED");
    assert.equal(await status("GET", "/api/workflows/not-there"), "403 ACCESS_DENIED");
    assert.match(await status("POST", "/api/workflows/report-daily/runs", {}), /^20[02]$/);
    assert.equal(await status("POST", "/api/workflows/payroll/runs", {}), "403 ACCESS_DENIED");
    assert.equal(await status("PUT", "/api/workflows/report-new", { template: {} }), "403 ACCESS_DENIED");
    assert.equal(await status("GET", `/api/runs/${runs["report-daily"]}`), "200");
    for (const path of ["", "/graph", "/events", "/calls", "/why", "/logs", "/export"]) {
      assert.equal(await status("GET", `/api/runs/${runs["payroll"]}${path}`), "404 RUN_NOT_FOUND", path);
    }
    assert.equal(await status("POST", `/api/runs/${runs["payroll"]}/rerun`, {}), "404 RUN_NOT_FOUND");
    assert.equal(await status("GET", `/api/calls/${runs["payroll"]}`), "404 CALL_NOT_FOUND");
    assert.equal(await status("GET", `/api/calls/${runs["report-daily"]}`), "200");
    assert.equal(await status("POST", "/api/operations/core.echo", { value: 1 }), "200");
    assert.equal(await status("POST", "/api/operations/hub.call", { operationId: "core.echo" }), "403 ACCESS_DENIED");
  });
  await t.step("HTTP: lists leave out what is not named; what is about everything stays closed", async () => {
    const workflows = await hub.api<{ items: { name: string }[] }>("GET", "/api/workflows", { key });
    assert.deepEqual(workflows.body.items.map(({ name }) => name), ["report-daily"]);
    const listed = await hub.api<{ items: { workflow: string }[] }>("GET", "/api/runs", { key });
    assert.deepEqual([...new Set(listed.body.items.map(({ workflow }) => workflow))], ["report-daily"]);
    for (const path of ["/api/search?text=payroll", "/api/approvals", "/api/dead-letters", "/api/runs/prune/x"]) {
      assert.equal(await status("GET", path), "403 ACCESS_DENIED", path);
    }
    assert.equal(await status("POST", "/api/runs/act", { action: "abort", ids: ["x"] }), "403 ACCESS_DENIED");
  });
  await t.step("keys: no key makes one stronger than itself", async () => {
    const { body: maker } = await makeKey(hub, ["keys:write", "workflow:run:report-*"]);
    assert.equal((await makeKey(hub, ["workflow:run:report-d*"], maker.key)).status, 201);
    for (const wider of ["workflow:run", "workflow:run:*", "workflow:run:payroll", "workflow:*", "*"]) {
      assert.equal((await makeKey(hub, [wider], maker.key)).body.code, "ACCESS_DENIED", wider);
    }
  });
  await t.step("MCP: tools, resources and completions", async () => {
    const client = new Client({ name: "test", version: "1" });
    await client.connect(
      new StreamableHTTPClientTransport(new URL(`${hub.url}/mcp`), {
        requestInit: { headers: { authorization: `Bearer ${key}` } },
      }),
    );
    const call = async (name: string, args: Record<string, unknown>) =>
      JSON.stringify(await client.callTool({ name, arguments: args }));
    const found = await call("hub.list", {});
    assert.ok(found.includes("workflow.report-daily") && !found.includes("payroll"));
    assert.match(await call("hub.call", { operationId: "workflow.payroll", input: {} }), /wanted scope/);
    assert.match(await call("hub.call", { operationId: "workflow.report-daily", input: {} }), /report-daily/);
    assert.match(await call("hub.call", { operationId: "hub.list", input: {} }), /wanted scope/);
    const { resources } = await client.listResources();
    assert.ok(resources.some(({ uri }) => uri === "workflow://report-daily"));
    assert.ok(!JSON.stringify(resources).includes("payroll"));
    await client.readResource({ uri: `run://${runs["report-daily"]}` });
    await assert.rejects(client.readResource({ uri: `run://${runs["payroll"]}` }));
    await assert.rejects(client.readResource({ uri: `run://${runs["payroll"]}/graph` }));
    await assert.rejects(client.readResource({ uri: "workflow://payroll" }));
    await assert.rejects(client.subscribeResource({ uri: `run://${runs["payroll"]}` }));
    const { completion } = await client.complete({
      ref: { type: "ref/resource", uri: "run://{id}" },
      argument: { name: "id", value: "" },
    });
    assert.ok(!completion.values.includes(runs["payroll"]!));
    await client.close();
  });
  await t.step("sockets: calls, events and spokes by name", async () => {
    const socket = await openSocket(hub, key);
    assert.match(await socket.ask("core.echo", { value: 1 }), /call.responded/);
    assert.match(await socket.ask("hub.call", { operationId: "hub.list", input: {} }), /ACCESS_DENIED/);
    assert.match(await socket.ask("hub.runEvents", { runId: runs["payroll"] }), /RUN_NOT_FOUND/);
    const offer = (name: string) => ({ name, operations: [{ namespace: "private", name: "op" }] });
    assert.match(await socket.ask("hub.register", offer("deploy-1")), /ACCESS_DENIED/);
    assert.match(await socket.ask("hub.register", offer("build-1")), /spokeId/);
    await socket.close();
  });
});
