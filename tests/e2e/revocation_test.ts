/** A key that is revoked on one hub is refused by the other within a second, its sockets and streams closed too (I10). */
import assert from "node:assert/strict";
import { type HubProcess, operation, startHubProcess, until } from "./_hub_process.ts";
import { postgresAvailable, testDatabase } from "../support/test_database.ts";

/** Half a second beyond the promise, for a machine that does other work. */
const WITHIN_MS = 1_500;

async function open(hub: HubProcess, key: string): Promise<{ readonly closed: Promise<number> }> {
  const socket = new WebSocket(`${hub.url.replace("http", "ws")}/ws`, ["alkdev.v1", `bearer.${key}`]);
  const closed = new Promise<number>((resolve) => socket.onclose = ({ code }) => resolve(code));
  await new Promise<void>((resolve) => socket.onopen = () => resolve());
  return { closed };
}

Deno.test("a key revoked on one hub is refused on the other within a second, without Redis", async () => {
  if (!await postgresAvailable()) return console.log("PostgreSQL is not there: not run");
  const database = await testDatabase("postgres");
  const env = { HUB_DATABASE_URL: database.url! };
  try {
    await using a = await startHubProcess({ env });
    const dataDir = await Deno.makeTempDir({ prefix: "hub-revoked-" });
    await Deno.writeTextFile(`${dataDir}/admin.key`, a.key);
    await using b = await startHubProcess({ env, dataDir });
    const template = operation("core.sleep", "s", { ms: 60_000 });
    await b.api("PUT", "/api/workflows/long", { body: { template } });
    const run = await b.api<{ id: string }>("POST", "/api/workflows/long/runs", { body: {} });
    const made = await a.api<{ key: string; record: { id: string } }>("POST", "/api/keys", {
      body: { name: "short", scopes: ["run:read", "operation:read"] },
    });
    const { key, record: { id } } = made.body;
    const { closed } = await open(b, key);
    const stream = await fetch(`${b.url}/api/runs/${run.body.id}/events`, {
      headers: { authorization: `Bearer ${key}`, accept: "text/event-stream" },
    });
    assert.equal(stream.status, 200);
    const streamEnded = stream.text().catch(() => "broken off");
    const since = Date.now();
    assert.equal((await a.api("DELETE", `/api/keys/${id}`)).status, 200);
    await until("it is refused", async () => (await b.api("GET", "/api/runs", { key })).status === 401, WITHIN_MS);
    assert.equal(await closed, 1008);
    await streamEnded;
    assert.ok(Date.now() - since < WITHIN_MS + 500, `took ${Date.now() - since} ms`);
  } finally {
    await database.drop();
  }
});
