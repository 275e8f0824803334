import assert from "node:assert/strict";
import { command } from "../../src/cli/_command.ts";
import { type HubProcess, startHubProcess, until } from "./_hub_process.ts";

interface RoleBody {
  readonly name: string;
  readonly version: number;
  readonly systemPrompt: string;
}

async function keyFor(hub: HubProcess, ownerId: string, scopes: readonly string[]): Promise<string> {
  const made = await hub.api<{ key: string }>("POST", "/api/keys", { body: { name: ownerId, ownerId, scopes } });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body.key;
}

Deno.test("roles are made over HTTP, by an operation and on the command line, and no role is more than its maker", async () => {
  await using hub = await startHubProcess();
  const tools = { operations: ["fs.*"], approve: ["fs.write"] };
  const put = await hub.api<RoleBody>("PUT", "/api/roles/writer?after=0", { body: { systemPrompt: "Write.", tools } });
  assert.deepEqual([put.status, put.body.version], [201, 1]);
  assert.equal((await hub.api("PUT", "/api/roles/writer", { body: { systemPrompt: "Write.", tools } })).status, 200);
  const stale = await hub.api("PUT", "/api/roles/writer?after=0", { body: { systemPrompt: "Write more." } });
  assert.deepEqual([stale.status, stale.body.code], [409, "ROLE_CHANGED"]);
  const made = await hub.api<{ data: { role: RoleBody } }>("POST", "/api/operations/hub.createRole", {
    body: { name: "writer", role: { systemPrompt: "Write better about {{topic}}." } },
  });
  assert.equal(made.status, 200, JSON.stringify(made.body));
  assert.equal(made.body.data.role.version, 2);
  const versions = await hub.api<{ items: RoleBody[] }>("GET", "/api/roles/writer/versions");
  assert.deepEqual(versions.body.items.map(({ version }) => version), [2, 1]);
  assert.equal((await hub.api<RoleBody>("GET", "/api/roles/writer@1")).body.systemPrompt, "Write.");

  const weak = await keyFor(hub, "weak", ["role:*", "run:read", "operation:call:hub.*"]);
  const more = { systemPrompt: "", scopes: ["run:write"] };
  const denied = await hub.api("PUT", "/api/roles/mine", { key: weak, body: more });
  assert.deepEqual([denied.status, denied.body.code], [403, "ACCESS_DENIED"]);
  const called = await hub.api("POST", "/api/operations/hub.createRole", {
    key: weak,
    body: { name: "mine", role: more },
  });
  assert.deepEqual([called.status, called.body.code], [403, "ACCESS_DENIED"]);
  assert.equal((await hub.api("GET", "/api/roles/mine")).status, 404);

  const to = ["--url", hub.url, "--key", hub.key];
  const shown = await command(["roles", "list", "--json", ...to]);
  const names = (JSON.parse(shown.out) as RoleBody[]).map(({ name }) => name);
  assert.deepEqual(names, ["assistant", "coordinator", "implementer", "reviewer", "writer"]);
  const input = JSON.stringify({ systemPrompt: "Third." });
  assert.match((await command(["roles", "set", "writer", "--input", input, ...to])).out, /writer +3/);
  assert.match((await command(["roles", "show", "writer@3", ...to])).out, /Third\./);
  assert.match((await command(["roles", "archive", "writer", ...to])).out, /archived/);

  const audit = await hub.api<{ items: { action: string }[] }>("GET", "/api/audit");
  const actions = new Set(audit.body.items.map(({ action }) => action));
  for (const action of ["putRole", "role.created", "archiveRole"]) assert.ok(actions.has(action), action);
});

Deno.test("roles are prompts of MCP clients that may see roles", async () => {
  await using hub = await startHubProcess();
  await hub.api("PUT", "/api/roles/writer", { body: { systemPrompt: "Write about {{topic}}.", title: "Writer" } });
  const ask = async (key: string, method: string, params: object): Promise<Record<string, unknown>> => {
    const response = await fetch(`${hub.url}/mcp`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${key}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": method,
        ...("name" in params && { "mcp-name": String(params.name) }),
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method,
        params: {
          ...params,
          _meta: {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
            "io.modelcontextprotocol/clientCapabilities": {},
          },
        },
      }),
    });
    const text = await response.text();
    return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text) as Record<string, unknown>;
  };
  const names = async (key: string): Promise<readonly string[]> => {
    const { result } = await ask(key, "prompts/list", {}) as { result: { prompts: { name: string }[] } };
    return result.prompts.map(({ name }) => name);
  };
  for (const name of ["assistant", "coordinator", "writer"]) assert.ok((await names(hub.key)).includes(name), name);
  const got = await ask(hub.key, "prompts/get", { name: "writer", arguments: { topic: "rain" } });
  assert.match(JSON.stringify(got), /Write about rain\./);
  const blind = await keyFor(hub, "blind", ["workflow:read", "run:read"]);
  assert.ok(!(await names(blind)).includes("writer"));
});

Deno.test("a suspended account's keys and sockets stop within a second, in its organization alone", async () => {
  await using hub = await startHubProcess();
  const acme = await hub.api<{ key: { key: string } }>("POST", "/api/organizations", { body: { id: "acme" } });
  const bot = await keyFor(hub, "bot", ["run:read", "operation:call", "spoke:connect"]);
  const elsewhere = await hub.api<{ key: string }>("POST", "/api/keys", {
    key: acme.body.key.key,
    body: { name: "bot", ownerId: "bot", scopes: ["run:read"] },
  });
  const made = await hub.api("POST", "/api/accounts", { body: { id: "idle", displayName: "Idle" } });
  assert.equal(made.status, 201);
  const listed = await hub.api<{ items: { accountId: string; keys: number }[] }>("GET", "/api/accounts");
  assert.deepEqual(listed.body.items.map(({ accountId, keys }) => [accountId, keys]), [
    ["admin", 1],
    ["bot", 1],
    ["idle", 0],
  ]);
  const socket = new WebSocket(`${hub.url.replace("http", "ws")}/ws`, ["alkdev.v1", `bearer.${bot}`]);
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error("the socket did not open"));
  });
  const closed = new Promise<void>((resolve) => socket.onclose = () => resolve());
  const status = async (key: string): Promise<number> => (await hub.api("GET", "/api/runs", { key })).status;
  assert.deepEqual([await status(bot), await status(elsewhere.body.key)], [200, 200]);
  const to = ["--url", hub.url, "--key", hub.key];
  assert.match((await command(["accounts", "suspend", "bot", ...to])).out, /suspended/);
  // At once on this hub: it forgets the key.
  assert.deepEqual([await status(bot), await status(elsewhere.body.key)], [401, 200]);
  await closed;
  assert.equal((await hub.api("POST", "/api/accounts/admin/suspend")).status, 403);
  assert.equal((await hub.api("POST", "/api/accounts/bot/suspend", { key: elsewhere.body.key })).status, 403);
  await hub.api("POST", "/api/accounts/bot/resume");
  await until("its key is taken again", async () => await status(bot) === 200);
});
