/** A run is migrated and forked through a hub that does not drive it: two hubs on one PostgreSQL and one Redis. */
import assert from "node:assert/strict";
import { container, type HubProcess, operation, startHubProcess, until } from "../e2e/_hub_process.ts";
import { startRedis } from "../support/redis_server.ts";
import { postgresAvailable, testDatabase } from "../support/test_database.ts";

Deno.test("a run of another hub is migrated there, refused with the same reasons, and forked here", async () => {
  const redis = await postgresAvailable() ? await startRedis() : null;
  if (redis === null) return console.log("PostgreSQL or redis-server is not there: not run");
  await using _redis = redis;
  const database = await testDatabase("postgres");
  try {
    const env = { HUB_DATABASE_URL: database.url!, HUB_REDIS_URL: redis.url };
    await using a = await startHubProcess({ env });
    const dataDir = await Deno.makeTempDir({ prefix: "hub-many-" });
    await Deno.writeTextFile(`${dataDir}/admin.key`, a.key);
    await using b = await startHubProcess({ env, dataDir });
    const wait = { type: "signal", props: { key: "go", name: "go" }, children: [] };
    const deploy = async (...steps: readonly ReturnType<typeof operation>[]): Promise<string> => {
      const put = await a.api<{ version: string }>("PUT", "/api/workflows/move", {
        body: { template: container("sequential", [...steps]) },
      });
      assert.equal(put.status, 200, JSON.stringify(put.body));
      return put.body.version;
    };
    const first = operation("core.echo", "first", { value: 1 });
    await deploy(first, wait);
    const { body: { id } } = await a.api<{ id: string }>("POST", "/api/workflows/move/runs", { body: { input: {} } });
    const waits = (hub: HubProcess, run: string) =>
      until("it waits", async () => {
        const { body } = await hub.api<{ nodes: { key: string; status: string }[] }>("GET", `/api/runs/${run}/graph`);
        return body.nodes.some(({ key, status }) => key === "go" && status === "waiting");
      });
    await waits(b, id);
    const other = await deploy(operation("core.echo", "first", { value: 2 }), wait);
    const longer = await deploy(first, wait, operation("core.echo", "last", { value: { $ref: "nodes.go.n" } }));
    const refused = await b.api<{ code: string }>("POST", `/api/runs/${id}/migrate`, { body: { version: other } });
    assert.deepEqual([refused.status, refused.body.code], [409, "MIGRATION_REFUSED"]);
    const moved = await b.api("POST", `/api/runs/${id}/migrate`, { body: { version: longer } });
    assert.equal(moved.status, 200, JSON.stringify(moved.body));
    const forked = await b.api<{ id: string; reused: number }>("POST", `/api/runs/${id}/fork`);
    assert.deepEqual([forked.status, forked.body.reused], [202, 1], JSON.stringify(forked.body));
    await waits(a, forked.body.id);
    for (const run of [id, forked.body.id]) {
      assert.equal((await b.api("POST", `/api/runs/${run}/signals/go`, { body: { n: 5 } })).status, 202);
      const end = await until("it ends", async () => {
        const { body } = await a.api<{ status: string; output: unknown }>("GET", `/api/runs/${run}`);
        return body.status !== "running" && body;
      });
      assert.deepEqual([end.status, end.output], ["completed", { value: 5 }]);
    }
  } finally {
    await database.drop();
  }
});
