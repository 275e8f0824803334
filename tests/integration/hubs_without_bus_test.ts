/** Two hubs on one PostgreSQL that cannot speak with each other. */
import assert from "node:assert/strict";
import { startHubProcess } from "../e2e/_hub_process.ts";
import { postgresAvailable, testDatabase } from "../support/test_database.ts";

Deno.test("a hub without Redis says which hub drives a run, and what hubs need to pass commands on", async () => {
  if (!await postgresAvailable()) return console.log("PostgreSQL is not there: not run");
  const database = await testDatabase("postgres");
  const env = { HUB_DATABASE_URL: database.url! };
  try {
    await using a = await startHubProcess({ env });
    const dataDir = await Deno.makeTempDir({ prefix: "hub-busless-" });
    await Deno.writeTextFile(`${dataDir}/admin.key`, a.key);
    await using b = await startHubProcess({ env, dataDir });
    const template = { type: "signal", props: { key: "go", name: "go" } };
    assert.equal((await a.api("PUT", "/api/workflows/waits", { body: { template } })).status, 200);
    const { body: { id } } = await a.api("POST", "/api/workflows/waits/runs", { body: {} });
    for (const command of ["abort", "pause", "resume", "signals/go"]) {
      const answer = await b.api("POST", `/api/runs/${id}/${command}`, { body: {} });
      assert.equal(answer.status, 503, JSON.stringify(answer.body));
      assert.equal(answer.body.code, "RUN_NOT_HERE");
      assert.match(String(answer.body.detail), /is driven by hub ".+" at http:\S+,.*HUB_REDIS_URL/);
      assert.equal((answer.body.details as { reason?: string }).reason, "no-bus");
    }
    assert.equal((await a.api("POST", `/api/runs/${id}/abort`, { body: {} })).status, 200);
  } finally {
    await database.drop();
  }
});
