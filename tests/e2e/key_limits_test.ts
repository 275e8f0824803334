/** A key's minute is one for all hubs: two processes on one database let through what the key may, and no more. */
import assert from "node:assert/strict";
import { postgresAvailable, testDatabase } from "../support/test_database.ts";
import { startHubProcess } from "./_hub_process.ts";

const LIMIT = 200;

Deno.test("a key's requests are counted by two hubs together, to the request", async () => {
  if (!await postgresAvailable()) return console.log("PostgreSQL is not there: not run");
  const database = await testDatabase("postgres");
  const env = { HUB_DATABASE_URL: database.url! };
  try {
    await using a = await startHubProcess({ env });
    const dataDir = await Deno.makeTempDir({ prefix: "hub-limits-" });
    await Deno.writeTextFile(`${dataDir}/admin.key`, a.key);
    await using b = await startHubProcess({ env, dataDir });
    const { body: { key } } = await a.api<{ key: string }>("POST", "/api/keys", {
      body: { name: "counted", scopes: ["run:read"], limits: { requests: LIMIT } },
    });
    const clock = async (): Promise<number> => {
      const [row] = await database.db.query<{ at: number }>(
        "select extract(epoch from clock_timestamp())::float8 as at",
      );
      return row!.at;
    };
    // All within one minute of the database's clock: what is asked takes a few seconds.
    for (;;) {
      const second = await clock() % 60;
      if (second < 35) break;
      await new Promise((resolve) => setTimeout(resolve, 1_000 * (60.2 - second)));
    }
    const minute = Math.floor(await clock() / 60);
    const statuses = new Map<number, number>();
    const ask = async (turn: number): Promise<void> => {
      const hub = turn % 2 === 0 ? a : b;
      const { status } = await hub.api("GET", "/api/runs", { key });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    };
    for (let turn = 0; turn < 2 * LIMIT; turn += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, at) => ask(turn + at)));
    }
    assert.equal(Math.floor(await clock() / 60), minute, "the machine was too slow: the minute ended");
    assert.deepEqual(Object.fromEntries(statuses), { 200: LIMIT, 429: LIMIT });
    // The hubs' own keys are not counted, and neither hub lets the key in by another door.
    for (const hub of [a, b]) {
      assert.equal((await hub.api("GET", "/api/runs")).status, 200);
      const mcp = await hub.api("POST", "/mcp", { key, body: {} });
      assert.equal(mcp.status, 429);
    }
  } finally {
    await database.drop();
  }
});
