/** kill -9 of the hub in the middle of a run with a spoke in another process: the run goes on, nothing completed runs again. */
import assert from "node:assert/strict";
import { container, type HubProcess, operation, startHubProcess, until } from "../e2e/_hub_process.ts";
import { freePort } from "../support/free_port.ts";

const WORKER = new URL("../e2e/fixtures/work_spoke.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** A spoke whose operation `work.step {name}` writes a line per execution to a file and takes a while. */
function startWorker(
  hub: { readonly url: string; readonly key: string },
  effects: string,
  port: string,
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", CONFIG, WORKER],
    env: { HUB_URL: hub.url.replace(/^http/, "ws") + "/ws", HUB_KEY: hub.key, EFFECTS: effects, WORKER_PORT: port },
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
}

async function effectsOf(path: string): Promise<string[]> {
  return (await Deno.readTextFile(path).catch(() => "")).split("\n").filter(Boolean);
}

async function completedKeys(hub: HubProcess, runId: string): Promise<string[]> {
  const events = await hub.api<{ items: { type: string; key?: string }[] }>(
    "GET",
    `/api/runs/${runId}/events?limit=1000`,
  );
  return events.body.items.filter(({ type }) => type === "call.responded").map(({ key }) => key!);
}

for (const database of ["embedded", "postgres"] as const) {
  Deno.test(`a run survives kill -9 of its hub on the ${database} database`, async () => {
    const { testDatabase, postgresAvailable } = await import("../support/test_database.ts");
    if (database === "postgres" && !await postgresAvailable()) {
      return console.log("PostgreSQL does not answer: not run");
    }
    const shared = database === "postgres" ? await testDatabase("postgres") : null;
    const env: Record<string, string> = shared?.url ? { HUB_DATABASE_URL: shared.url } : {};
    const dataDir = await Deno.makeTempDir({ prefix: "hub-e2e-crash-" });
    const effects = `${dataDir}/effects.txt`;
    const port = freePort();
    env.HUB_PORT = String(port);
    let worker: Deno.ChildProcess | null = null;
    try {
      const first = await startHubProcess({ dataDir, env, keep: true });
      worker = startWorker(first, effects, String(port));
      await until(
        "the spoke is there",
        async () => (await first.api("GET", "/api/operations/work.step")).status === 200,
      );
      const steps = Array.from({ length: 12 }, (_, i) => operation("work.step", `s${i}`, { name: `s${i}`, ms: 60 }));
      const template = container("sequential", [
        container("map", [operation("work.step", "m", { name: { $ref: "item" }, ms: 80 })], {
          over: { $ref: "input.items" },
          as: "item",
          maxConcurrency: 3,
        }),
        ...steps,
      ]);
      const put = await first.api("PUT", "/api/workflows/crash", { body: { template } });
      assert.equal(put.status, 200, JSON.stringify(put.body));
      const items = Array.from({ length: 9 }, (_, i) => `m${i}`);
      const run = await first.api<{ id: string }>("POST", "/api/workflows/crash/runs", { body: { input: { items } } });
      assert.equal(run.status, 202, JSON.stringify(run.body));
      const id = run.body.id;
      await until("it is under way", async () => (await effectsOf(effects)).length >= 5);
      const before = await completedKeys(first, id);
      assert.ok(before.length > 0 && before.length < 21, `${before.length} nodes were complete before the kill`);
      await first.kill("SIGKILL");
      const ran = (await effectsOf(effects)).length;
      const second = await startHubProcess({ dataDir, env, keep: true });
      await using _ = second;
      const end = await until("the run ends", async () => {
        const { body } = await second.api("GET", `/api/runs/${id}`);
        return body.status !== "running" && body;
      });
      assert.equal(end.status, "completed", JSON.stringify(end));
      const lines = await effectsOf(effects);
      assert.ok(lines.length > ran, "work went on after the restart");
      for (const key of before) {
        const name = key.startsWith("m[") ? `m${key.slice(2, -1)}` : key;
        assert.equal(
          lines.filter((line) => line === name).length,
          1,
          `${key} had completed before the kill and ran again`,
        );
      }
      assert.equal(new Set(await completedKeys(second, id)).size, 21);
    } finally {
      worker?.kill("SIGKILL");
      await worker?.status;
      await shared?.drop();
      await Deno.remove(dataDir, { recursive: true }).catch(() => {});
    }
  });
}

Deno.test("a second hub on the same data directory is refused with a clear error and harms nothing", async () => {
  await using hub = await startHubProcess();
  await assert.rejects(startHubProcess({ dataDir: hub.dataDir, keep: true }), (error: Error) => {
    assert.match(error.message, /process \d+ has it open/);
    return true;
  });
  const run = await hub.api("POST", "/api/workflows/hello/runs", {
    body: { input: { name: "Ada" } },
    headers: { prefer: "wait=10" },
  });
  assert.equal(run.body.status, "completed", JSON.stringify(run.body));
});
