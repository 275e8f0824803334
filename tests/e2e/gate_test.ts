/** What stands before every edge: limits of keys, wrong keys, the audit log. */
import assert from "node:assert/strict";
import { operation, startHubProcess, until } from "./_hub_process.ts";

interface Entry {
  readonly action: string;
  readonly ownerId: string;
  readonly keyId: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

Deno.test("limits of keys, wrong keys and what is written down of both", async (t) => {
  const dataDir = await Deno.makeTempDir({ prefix: "hub-e2e-gate-" });
  await Deno.writeTextFile(`${dataDir}/config.jsonc`, `{"trustedProxies": ["127.0.0.1"]}`);
  await using hub = await startHubProcess({ dataDir });
  const make = async (body: object) => {
    const made = await hub.api<{ key: string; record: { id: string } }>("POST", "/api/keys", { body });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    return { key: made.body.key, id: made.body.record.id };
  };
  const audit = async (query: string): Promise<Entry[]> =>
    (await hub.api<{ items: Entry[] }>("GET", `/api/audit?${query}`)).body.items;

  await t.step("a key's requests of a minute end with 429, and other keys go on", async () => {
    const { key } = await make({ name: "slow", scopes: ["run:read"], limits: { requests: 5 } });
    const answers = [];
    for (let turn = 0; turn < 12; turn++) answers.push(await hub.api("GET", "/api/runs", { key }));
    const good = answers.filter(({ status }) => status === 200);
    const refused = answers.filter(({ status }) => status === 429);
    // Twice as many where the minute ended in between.
    assert.ok(good.length >= 5 && good.length <= 10 && good.length + refused.length === 12, `${good.length}`);
    assert.equal(good[0]?.headers.get("x-ratelimit-limit"), "5");
    assert.equal(good[0]?.headers.get("x-ratelimit-remaining"), "4");
    const last = refused.at(-1);
    if (last !== undefined) {
      assert.equal(last.body.code, "RATE_LIMITED");
      assert.ok(Number(last.headers.get("retry-after")) >= 1 && Number(last.headers.get("retry-after")) <= 60);
      assert.equal(last.headers.get("x-ratelimit-remaining"), "0");
    }
    assert.equal((await hub.api("GET", "/api/runs")).headers.get("x-ratelimit-limit"), null);
  });
  await t.step("a key's starts are counted apart, over MCP as well", async () => {
    await hub.api("PUT", "/api/workflows/w", { body: { template: operation("core.echo", "a", { value: 1 }) } });
    const { key } = await make({
      name: "starts",
      scopes: ["workflow:run", "workflow:read", "run:read"],
      limits: { starts: 1 },
    });
    const statuses = [];
    for (let turn = 0; turn < 4; turn++) {
      statuses.push((await hub.api("POST", "/api/workflows/w/runs", { key, body: {} })).status);
    }
    assert.ok(statuses.includes(202) || statuses.includes(200), `${statuses}`);
    assert.ok(statuses.filter((status) => status === 429).length >= 2, `${statuses}`);
    const said = await hub.api("POST", "/mcp", {
      key,
      headers: { accept: "application/json, text/event-stream", "mcp-protocol-version": "2025-11-25" },
      body: {
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params: { name: "hub.call", arguments: { operationId: "workflow.w", input: {} } },
      },
    });
    assert.ok(!JSON.stringify(said.body).includes('"value":1'), JSON.stringify(said.body));
    assert.equal((await hub.api("GET", "/api/runs", { key })).status, 200);
  });
  await t.step("administrative acts and refusals are written down, with the client's address and no key", async () => {
    const { key, id } = await make({ name: "weak", scopes: ["run:read"] });
    await hub.api("PUT", "/api/limits/heavy", { body: { concurrency: 2 } });
    const forwarded = { "x-forwarded-for": "6.6.6.6, 203.0.113.9" };
    assert.equal((await hub.api("PUT", "/api/limits/heavy", { key, body: {}, headers: forwarded })).status, 403);
    const [set] = await audit("action=setLimit");
    assert.deepEqual([set?.ownerId, set?.details.params], ["admin", { key: "heavy" }]);
    const refusal = await until("the refusal is written", async () => (await audit(`key=${id}`))[0]);
    assert.equal(refusal.action, "request.refused");
    assert.deepEqual(refusal.details, {
      method: "PUT",
      address: "203.0.113.9",
      route: "/api/limits/:key",
      code: "ACCESS_DENIED",
    });
    assert.ok(!JSON.stringify(await audit("limit=200")).includes(key));
    assert.equal((await hub.api("GET", "/api/audit", { key })).status, 403);
  });
  await t.step("refusals of MCP and of sockets are written down too, with what was asked", async () => {
    const { key, id } = await make({ name: "narrow", scopes: ["operation:call:core.eval", "workflow:run:nothing"] });
    const message = (body: object, headers: Readonly<Record<string, string>>) =>
      hub.api("POST", "/mcp", {
        key,
        headers: { accept: "application/json, text/event-stream", "x-forwarded-for": "203.0.113.20", ...headers },
        body: { jsonrpc: "2.0", id: 1, ...body },
      });
    const call = { name: "hub.call", arguments: { operationId: "core.echo", input: { value: "a-secret-input" } } };
    const begun = await message({
      method: "initialize",
      params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } },
    }, {});
    await message({ method: "tools/call", params: call }, {
      "mcp-session-id": begun.headers.get("mcp-session-id")!,
      "mcp-protocol-version": "2025-11-25",
    });
    const _meta = {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientCapabilities": {},
    };
    const newer = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "hub.call" };
    await message({
      method: "tools/call",
      params: { ...call, arguments: { operationId: "workflow.w", input: {} }, _meta },
    }, newer);
    await using socket = await openSocket(hub.url, key);
    const registration = { name: "spoke", operations: [] };
    for (const [operationId, input] of [["core.fail", {}], ["hub.register", registration], ["hub.runEvents", {}]]) {
      assert.match(await socket.ask(String(operationId), input), /"code":"ACCESS_DENIED"/);
    }
    const seen = await until("all are written", async () => {
      const found = await audit(`action=request.refused&key=${id}&limit=200`);
      return found.length >= 5 && found;
    });
    assert.deepEqual(seen.map(({ action, details }) => [action, details.route, details.asked, details.code]).sort(), [
      ["request.refused", "/mcp", "tools/call hub.call core.echo", "ACCESS_DENIED"],
      ["request.refused", "/mcp", "tools/call hub.call workflow.w", "ACCESS_DENIED"],
      ["request.refused", "/ws", "core.fail", "ACCESS_DENIED"],
      ["request.refused", "/ws", "hub.register", "ACCESS_DENIED"],
      ["request.refused", "/ws", "hub.runEvents", "ACCESS_DENIED"],
    ]);
    assert.deepEqual(new Set(seen.map(({ details }) => details.address)), new Set(["203.0.113.20", "127.0.0.1"]));
    assert.ok(!JSON.stringify(seen).includes("a-secret-input"));
  });
  await t.step("whoever is refused without end on one socket does not fill the log", async () => {
    const org = await hub.api<{ key: { key: string } }>("POST", "/api/organizations", { body: { id: "flood" } });
    assert.equal(org.status, 201, JSON.stringify(org.body));
    const weak = await hub.api<{ key: string }>("POST", "/api/keys", {
      key: org.body.key.key,
      body: { name: "weak", scopes: ["run:read"] },
    });
    await using socket = await openSocket(hub.url, weak.body.key);
    await Promise.all(Array.from({ length: 500 }, () => socket.ask("core.echo", { value: 1 })));
    const refusals = await until("the first are written", async () => {
      const { body } = await hub.api<{ items: Entry[] }>("GET", "/api/audit?action=request.refused&limit=200", {
        key: org.body.key.key,
      });
      return body.items.length >= 60 && body.items;
    });
    // Twice as many where the minute ended in between.
    assert.ok(refusals.length <= 120, `${refusals.length}`);
  });
  await t.step("an address that tries many wrong keys is slowed; keys that are known go on", async () => {
    const from = (address: string) => ({ "x-forwarded-for": address });
    const statuses = new Map<number, number>();
    for (let turn = 0; turn < 130; turn++) {
      const { status } = await hub.api("GET", "/api/runs", {
        key: `alk_${crypto.randomUUID()}`,
        headers: from("203.0.113.66"),
      });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    assert.deepEqual([statuses.get(401), statuses.get(429)], [100, 30]);
    assert.equal((await hub.api("GET", "/api/runs", { headers: from("203.0.113.66") })).status, 200);
    assert.equal((await hub.api("GET", "/api/runs", { key: "alk_other", headers: from("203.0.113.67") })).status, 401);
    const refusals = await audit("action=request.refused&owner=anonymous&limit=200");
    assert.ok(refusals.length > 0 && refusals.length <= 121, `${refusals.length} were written`);
  });
});

/** A socket of the call protocol; `ask` gives the answer to one call, as text. */
async function openSocket(url: string, key: string) {
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, ["alkdev.v1", `bearer.${key}`]);
  const waiting = new Map<string, (answer: string) => void>();
  socket.onmessage = ({ data }) => {
    const { payload: { requestId } } = JSON.parse(String(data)) as { readonly payload: { readonly requestId: string } };
    waiting.get(requestId)?.(String(data));
  };
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error("The socket was refused"));
  });
  return {
    ask(operationId: string, input: unknown): Promise<string> {
      const requestId = crypto.randomUUID();
      const { promise, resolve } = Promise.withResolvers<string>();
      waiting.set(requestId, resolve);
      socket.send(JSON.stringify({ type: "call.requested", id: "", payload: { requestId, operationId, input } }));
      return promise;
    },
    async [Symbol.asyncDispose]() {
      socket.close();
      await new Promise((resolve) => socket.onclose = resolve);
    },
  };
}
