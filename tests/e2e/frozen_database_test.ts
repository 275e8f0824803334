/** A database that takes queries and answers none: reads say so in time, writes are whole or not there, and all goes on after. */
import assert from "node:assert/strict";
import { startPostgres } from "../support/postgres_server.ts";
import { container, operation, startHubProcess, until } from "./_hub_process.ts";

const READ_MS = 1_000;
const MAX_REQUESTS = 60;
const UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

Deno.test("a frozen database ends reads with READ_TIMEOUT, halves no write, and is taken up again", async (t) => {
  await using postgres = await startPostgres();
  if (postgres === null) return console.log("PostgreSQL's programs are not there: not run");
  const dataDir = await Deno.makeTempDir({ prefix: "hub-frozen-" });
  const config = { http: { readMs: READ_MS, maxRequests: MAX_REQUESTS } };
  await Deno.writeTextFile(`${dataDir}/config.jsonc`, JSON.stringify(config));
  await using hub = await startHubProcess({ dataDir, env: { HUB_DATABASE_URL: postgres.url } });
  const steps = ["a", "b", "c"].map((key) => operation("core.echo", key, { value: key }));
  const template = container("sequential", steps);
  assert.equal((await hub.api("PUT", "/api/workflows/w", { body: { template } })).status, 200);
  const slow = container("sequential", [
    operation("core.sleep", "s", { ms: 2_000 }),
    operation("core.echo", "e", { value: 1 }),
  ]);
  await hub.api("PUT", "/api/workflows/slow", { body: { template: slow } });
  const under = await hub.api<{ id: string }>("POST", "/api/workflows/slow/runs", { body: {} });
  assert.equal(under.status, 202, JSON.stringify(under.body));
  const keyOf = async (body: object): Promise<string> =>
    (await hub.api<{ key: string }>("POST", "/api/keys", { body: { name: "k", ...body } })).body.key;
  const limited = await keyOf({ scopes: ["run:read"], limits: { requests: 20 } });
  const narrowed = await keyOf({ scopes: ["run:read:slow"] });

  // Known when the freeze comes: what waits then is the write, not the look at its key.
  for (const key of [hub.key, limited, narrowed]) await hub.api("GET", `/api/runs/${under.body.id}`, { key });
  await postgres.freeze();
  const start = () =>
    hub.api<{ id: string }>("POST", "/api/workflows/w/runs", { body: {}, headers: { "idempotency-key": "once" } });
  const writes = [start(), start(), start()];
  try {
    await t.step(
      "a read says so in time, also where its key is counted, or its scope is looked up in the run",
      async () => {
        const since = Date.now();
        await Promise.all([limited, narrowed].map(async (key) => {
          const reads = await Promise.all(
            Array.from({ length: 5 }, () => hub.api("GET", `/api/runs/${under.body.id}`, { key })),
          );
          for (const { status, body } of reads) assert.deepEqual([status, body.code], [503, "READ_TIMEOUT"]);
        }));
        assert.ok(Date.now() - since < 2 * READ_MS + 1_500, `${Date.now() - since} ms`);
      },
    );
    await t.step("a read says so in time, whether or not its key was looked up lately", async () => {
      // Longer than a key is remembered: the last of them must look it up.
      const end = Date.now() + 2_500;
      do {
        const since = Date.now();
        const read = await hub.api("GET", `/api/runs/${under.body.id}`);
        assert.deepEqual([read.status, read.body.code], [503, "READ_TIMEOUT"], JSON.stringify(read.body));
        assert.ok(Date.now() - since < READ_MS + 1_500, `${Date.now() - since} ms`);
        assert.ok(Number(read.headers.get("retry-after")) >= 1);
      } while (Date.now() < end);
    });
    await t.step("MCP and sockets do not wait for their key for ever either", async () => {
      const port = Number(new URL(hub.url).port);
      for (
        const [method, path, more] of [["POST", "/mcp", "Content-Length: 0\r\n"], ["GET", "/ws", UPGRADE]] as const
      ) {
        const since = Date.now();
        const connection = await Deno.connect({ hostname: "127.0.0.1", port });
        const head = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Api-Key: ${narrowed}\r\n${more}\r\n`;
        await connection.write(new TextEncoder().encode(head));
        const bytes = new Uint8Array(4_096);
        const late = setTimeout(() => connection.close(), 8_000);
        const count = await connection.read(bytes).catch(() => null);
        clearTimeout(late);
        assert.match(new TextDecoder().decode(bytes.subarray(0, count ?? 0)), /^HTTP\/1.1 503 /, path);
        connection.close();
        assert.ok(Date.now() - since < READ_MS + 1_500, `${path}: ${Date.now() - since} ms`);
      }
    });
    await t.step(
      "reads that pile up are refused at once, and the hub says how it is",
      async () => {
        const answers = await Promise.all(Array.from({ length: 3 * MAX_REQUESTS }, () => hub.api("GET", "/api/runs")));
        const codes = new Map<unknown, number>();
        for (const { status, body: { code } } of answers) {
          assert.equal(status, 503);
          codes.set(code, (codes.get(code) ?? 0) + 1);
        }
        assert.deepEqual([...codes.keys()].sort(), ["READ_TIMEOUT", "TOO_BUSY"]);
        assert.ok(codes.get("READ_TIMEOUT")! <= MAX_REQUESTS, `${codes.get("READ_TIMEOUT")} were let in`);
        const since = Date.now();
        assert.equal((await hub.api("GET", "/health")).status, 200);
        assert.ok(Date.now() - since < 1_000);
      },
    );
  } finally {
    await postgres.thaw();
  }
  await t.step("what was to be written is there once, as a whole", async () => {
    const answers = await Promise.all(writes);
    const [first] = answers.filter(({ status }) => status < 300);
    assert.ok(first !== undefined, JSON.stringify(answers.map(({ status, body }) => [status, body])));
    const again = await until("the hub takes writes again", async () => {
      const answer = await start();
      return answer.status < 300 && answer;
    });
    for (const { status, body } of [...answers, again]) if (status < 300) assert.equal(body.id, first.body.id);
    const ended = await until("the run has ended", async () => {
      const { body } = await hub.api("GET", `/api/runs/${first.body.id}`);
      return body.status === "completed" && body;
    });
    assert.deepEqual(ended["output"], { value: "c" });
    const { body } = await hub.api<{ items: unknown[] }>("GET", "/api/runs?workflow=w");
    assert.equal(body.items.length, 1);
  });
  await t.step("what was under way has gone on, and reads have their room again", async () => {
    await until("the run has ended", async () => {
      const { body } = await hub.api("GET", `/api/runs/${under.body.id}`);
      return body.status === "completed";
    });
    const answers = await Promise.all(Array.from({ length: MAX_REQUESTS - 5 }, () => hub.api("GET", "/api/runs")));
    assert.deepEqual(answers.filter(({ status }) => status !== 200).map(({ body }) => body), []);
  });
});
