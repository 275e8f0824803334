/** Two real hubs of one database, one of them killed: what a key allows is never exceeded, and nobody waits for ever (I7). */
import assert from "node:assert/strict";
import { connectSpoke } from "@alkdev/spoke";
import { Type } from "@alkdev/typebox";
import { container, type HubProcess, startHubProcess, until } from "../e2e/_hub_process.ts";
import { postgresAvailable, testDatabase } from "../support/test_database.ts";

const GPUS = 3;
const RUNS = 2;

/** Calls at work, as their handlers see it: a call that is sent again counts once. */
class AtWork {
  readonly #now = new Map<string, number>();
  readonly most = new Map<string, number>();

  enter(kind: string, name: string): () => void {
    const id = `${kind} ${name}`;
    this.#now.set(id, (this.#now.get(id) ?? 0) + 1);
    const count = [...this.#now.keys()].filter((one) => one.startsWith(`${kind} `)).length;
    this.most.set(kind, Math.max(this.most.get(kind) ?? 0, count));
    return () => {
      const left = (this.#now.get(id) ?? 1) - 1;
      if (left === 0) this.#now.delete(id);
      else this.#now.set(id, left);
    };
  }
}

function spokeOf(hub: HubProcess, name: string, work: AtWork): { close(): unknown } {
  return connectSpoke({
    url: `${hub.url.replace(/^http/, "ws")}/ws`,
    key: hub.key,
    name,
    spokeType: "compute",
    maxConcurrency: 50,
    operations: [{
      namespace: "work",
      name: "step",
      version: "1.0.0",
      type: "mutation",
      description: "Is at work for a while",
      inputSchema: Type.Object({ kind: Type.String(), name: Type.String() }),
      outputSchema: Type.Object({}),
      accessControl: { requiredScopes: [] },
      handler: async (input) => {
        const { kind, name } = input as { readonly kind: string; readonly name: string };
        const leave = work.enter(kind, name);
        await new Promise((resolve) => setTimeout(resolve, 100));
        leave();
        return {};
      },
    }],
  });
}

function step(kind: string, more: object = {}): object {
  const input = { kind, name: { $ref: "input.name" } };
  return { type: "operation", props: { name: "work.step", key: "step", input, ...more }, children: [] };
}

Deno.test("two hubs never exceed a limit, though one of them is killed, and leave nobody waiting (I7)", async () => {
  if (!await postgresAvailable()) return console.log("PostgreSQL does not answer: not run");
  const shared = await testDatabase("postgres");
  const env = { HUB_DATABASE_URL: shared.url! };
  const dirs = await Promise.all([0, 1].map(() => Deno.makeTempDir({ prefix: "hub-flow-" })));
  const work = new AtWork();
  const spokes: { close(): unknown }[] = [];
  const open = async (at: number): Promise<HubProcess> => {
    const hub = await startHubProcess({ dataDir: dirs[at]!, env, keep: true });
    spokes.push(spokeOf(hub, `spoke-${at}-${spokes.length}`, work));
    await until("the spoke is there", async () => (await hub.api("GET", "/api/operations/work.step")).status === 200);
    return hub;
  };
  try {
    let a = await open(0);
    // One database, one administrator: only its first hub makes the key.
    await Deno.copyFile(`${dirs[0]}/admin.key`, `${dirs[1]}/admin.key`);
    const b = await open(1);
    const put = (name: string, body: object) => b.api("PUT", `/api/workflows/${name}`, { body });
    await put("calls", { template: container("sequential", [step("gpu", { concurrencyKey: "gpu" })]) });
    await put("runs", {
      template: container("sequential", [step("run")]),
      flow: { concurrency: { limit: RUNS, key: "input.tenant" } },
    });
    await b.api("PUT", "/api/limits/gpu", { body: { concurrency: GPUS } });
    const ids: string[] = [];
    const start = async (hub: HubProcess, workflow: string, name: string): Promise<void> => {
      const body = { input: { name, tenant: "t" } };
      const answer = await hub.api<{ id: string }>("POST", `/api/workflows/${workflow}/runs`, { body });
      assert.equal(answer.status, 202, JSON.stringify(answer.body));
      ids.push(answer.body.id);
    };
    for (let i = 0; i < 10; i++) {
      await Promise.all([
        start(a, "calls", `a${i}`),
        start(b, "calls", `b${i}`),
        start(a, "runs", `a${i}`),
        start(b, "runs", `b${i}`),
      ]);
    }
    await a.kill("SIGKILL");
    a = await open(0);
    await until("every run has ended", async () => {
      const { body } = await b.api<{ items: unknown[] }>("GET", "/api/runs?status=queued&status=running&limit=100");
      return body.items.length === 0;
    }, 30_000);
    const { body } = await b.api<{ items: unknown[] }>("GET", "/api/runs?status=completed&limit=100");
    assert.equal(body.items.length, ids.length);
    assert.deepEqual(Object.fromEntries(work.most), { gpu: GPUS, run: RUNS });
    await until("every key is free", async () => {
      const keys = await b.api<{ items: { running: number; waiting: number }[] }>("GET", "/api/flow");
      return keys.body.items.every(({ running, waiting }) => running + waiting === 0);
    }, 10_000);
    await a.kill("SIGTERM");
    await b.kill("SIGTERM");
  } finally {
    for (const spoke of spokes) await spoke.close();
    await shared.drop();
    for (const dir of dirs) await Deno.remove(dir, { recursive: true }).catch(() => {});
  }
});
