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
