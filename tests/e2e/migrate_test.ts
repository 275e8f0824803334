/** A live run is moved to another version over HTTP, its hub is killed, and the run goes on with the new version's nodes. */
import assert from "node:assert/strict";
import { container, operation, startHubProcess, until } from "./_hub_process.ts";

interface Migration {
  readonly allowed: boolean;
  readonly migrated: boolean;
  readonly reasons: readonly { readonly key: string | null; readonly reason: string }[];
  readonly diff: {
    readonly added: readonly { readonly key: string }[];
    readonly removed: readonly { readonly key: string }[];
  };
}

const wait = { type: "signal", props: { key: "go", name: "go" }, children: [] };
const first = operation("core.echo", "first", { value: 1 });

for (const database of ["embedded", "postgres"] as const) {
  Deno.test(`a run is moved to another version and goes on with it after kill -9 on the ${database} database`, async () => {
    const { testDatabase, postgresAvailable } = await import("../support/test_database.ts");
    if (database === "postgres" && !await postgresAvailable()) {
      return console.log("PostgreSQL does not answer: not run");
    }
    const shared = database === "postgres" ? await testDatabase("postgres") : null;
    const env: Record<string, string> = shared?.url ? { HUB_DATABASE_URL: shared.url } : {};
    const dataDir = await Deno.makeTempDir({ prefix: "hub-e2e-migrate-" });
    try {
      await using hub = await startHubProcess({ dataDir, env, keep: true });
      const deploy = async (...steps: readonly unknown[]) => {
        const { status, body } = await hub.api<
          { version: string; impact: { live: { version: string; runs: number }[] } }
        >(
          "PUT",
          "/api/workflows/move",
          { body: { template: container("sequential", steps as ReturnType<typeof container>[]) } },
        );
        assert.equal(status, 200, JSON.stringify(body));
        return body;
      };
      const one = await deploy(first, wait, operation("core.echo", "old", { value: 2 }));
      const run = await hub.api<{ id: string }>("POST", "/api/workflows/move/runs", { body: { input: {} } });
      const { id } = run.body;
      await until("it waits", async () => {
        const { body } = await hub.api<{ nodes: { key: string; status: string }[] }>("GET", `/api/runs/${id}/graph`);
        return body.nodes.some(({ key, status }) => key === "go" && status === "waiting");
      });
      const broken = await deploy(operation("core.echo", "first", { value: 9 }), wait);
      const two = await deploy(first, wait, operation("core.echo", "new", { value: { $ref: "nodes.go.n" } }));
      assert.deepEqual(two.impact.live.map(({ version, runs }) => [version, runs]), [[one.version, 1]]);

      const move = (body: object) =>
        hub.api<Migration & { code?: string; details?: Migration }>("POST", `/api/runs/${id}/migrate`, { body });
      const refused = await move({ version: broken.version });
      assert.deepEqual([refused.status, refused.body.code], [409, "MIGRATION_REFUSED"]);
      assert.deepEqual(refused.body.details?.reasons.map(({ key }) => key), ["first"]);
      const dry = await move({ version: two.version, dryRun: true });
      assert.deepEqual([dry.body.allowed, dry.body.migrated], [true, false]);
      assert.deepEqual([dry.body.diff.added[0]?.key, dry.body.diff.removed[0]?.key], ["new", "old"]);
      const moved = await move({ version: two.version });
      assert.deepEqual([moved.status, moved.body.migrated], [200, true], JSON.stringify(moved.body));
      await hub.kill("SIGKILL");

      await using again = await startHubProcess({ dataDir, env, keep: true });
      const versions = await again.api<{ items: { version: string; current: boolean; liveRuns: number }[] }>(
        "GET",
        "/api/workflows/move/versions",
      );
      assert.deepEqual(
        versions.body.items.map(({ version, current, liveRuns }) => [version, current, liveRuns]).slice(0, 1),
        [[two.version, true, 1]],
      );
      assert.equal(versions.body.items.length, 3);
      const diff = await again.api<{ diff: Migration["diff"] }>("GET", `/api/workflows/move/diff?from=${one.version}`);
      assert.deepEqual(diff.body.diff.added.map(({ key }) => key), ["new"]);
      assert.equal((await again.api("POST", `/api/runs/${id}/signals/go`, { body: { n: 7 } })).status, 202);
      const end = await until("the run ends", async () => {
        const { body } = await again.api<{ status: string; output: unknown; version: string }>(
          "GET",
          `/api/runs/${id}`,
        );
        return body.status !== "running" && body;
      });
      assert.deepEqual([end.status, end.output, end.version], ["completed", { value: 7 }, two.version]);
      const { body: { items } } = await again.api<{ items: { type: string; version?: string; seq: number }[] }>(
        "GET",
        `/api/runs/${id}/events`,
      );
      assert.equal(items[0]?.version, one.version);
      const at = items.find(({ type }) => type === "run.migrated")!.seq;
      const past = await again.api<{ nodes: { key: string }[] }>("GET", `/api/runs/${id}/graph?at=${at - 1}`);
      assert.deepEqual(past.body.nodes.map(({ key }) => key), ["first", "go", "old"]);
      const back = await again.api<{ id: string; reused: number }>("POST", `/api/runs/${id}/fork`, {
        body: { at: at - 1 },
      });
      assert.deepEqual([back.status, back.body.reused], [202, 1], JSON.stringify(back.body));
      const there = await again.api<{ version: string }>("GET", `/api/runs/${back.body.id}`);
      assert.equal(there.body.version, one.version); // the one that held then
      assert.equal(
        (await again.api("POST", `/api/runs/${id}/migrate`, { body: { version: one.version } })).status,
        409,
      );
    } finally {
      await shared?.drop();
      await Deno.remove(dataDir, { recursive: true }).catch(() => {});
    }
  });
}
