import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { container, type HubProcess, operation, startHubProcess, until } from "./_hub_process.ts";

interface Export {
  readonly format: number;
  readonly run: { readonly id: string; readonly status: string };
  readonly plan: { readonly nodes: readonly unknown[] };
  readonly events: readonly { readonly type: string; readonly [field: string]: unknown }[];
  readonly children?: readonly Export[];
}

async function start(hub: HubProcess, name: string, headers = {}): Promise<string> {
  const { body } = await hub.api<{ id: string }>("POST", `/api/workflows/${name}/runs`, {
    body: { input: { n: 1 } },
    headers: { prefer: "wait=10", ...headers },
  });
  return body.id;
}

async function register(hub: HubProcess): Promise<void> {
  const step = operation("core.echo", "step", { value: { $ref: "input.n" } });
  const child = { type: "workflow", props: { name: "kid", key: "c", input: { n: 2 } }, children: [] };
  const nap = operation("core.sleep", "nap", { ms: 600_000 });
  const templates = { kid: step, family: container("sequential", [step, child]), sleeper: nap };
  for (const [name, template] of Object.entries(templates)) {
    const { status, body } = await hub.api("PUT", `/api/workflows/${name}`, { body: { template } });
    assert.ok(status < 300, JSON.stringify(body));
  }
}

async function prune(hub: HubProcess, body: Record<string, unknown>): Promise<Record<string, unknown>> {
  const started = await hub.api("POST", "/api/runs/prune", { body });
  assert.equal(started.status, 202, JSON.stringify(started.body));
  return await until("the pruning is done", async () => {
    const { body: job } = await hub.api("GET", String(started.body.url));
    assert.notEqual(job.state, "failed", String(job.error));
    return job.state === "done" ? job : null;
  });
}

Deno.test("runs are exported, pruned, imported, archived and restored", async (t) => {
  await using hub = await startHubProcess();
  await register(hub);
  const family = await start(hub, "family");
  const keyed = await start(hub, "kid", { "idempotency-key": "once" });
  const { body: sleeper } = await hub.api<{ id: string }>("POST", "/api/workflows/sleeper/runs", { body: {} });
  const exported = (await hub.api<Export>("GET", `/api/runs/${family}/export?tree=true`)).body;

  await t.step("an export holds the tree, and nobody else's is shown", async () => {
    assert.deepEqual([exported.format, exported.run.status, exported.children?.length], [1, "completed", 1]);
    assert.deepEqual(exported.events.map(({ type }) => type).filter((type) => type.startsWith("run.")), [
      "run.created",
      "run.completed",
    ]);
    assert.equal((await hub.api<Export>("GET", `/api/runs/${family}/export`)).body.children, undefined);
    assert.equal((await hub.api("GET", `/api/runs/${crypto.randomUUID()}/export`)).status, 404);
  });

  await t.step("an import is refused where a run is there, lives, or is not what it says", async () => {
    const refuse = async (value: unknown, code: string) => {
      const { status, body } = await hub.api("POST", "/api/runs/import", { body: value });
      assert.deepEqual([status, body.code], [code === "RUN_EXISTS" ? 409 : 400, code], JSON.stringify(body));
      return String(body.detail);
    };
    await refuse(exported, "RUN_EXISTS");
    assert.match(await refuse({ ...exported, format: 2 }, "VALIDATION_ERROR"), /Format 2 is not known/);
    const live = (await hub.api<Export>("GET", `/api/runs/${sleeper.id}/export`)).body;
    assert.match(await refuse(live, "VALIDATION_ERROR"), /has not ended/);
    const forged = JSON.parse(JSON.stringify(exported).replace('"output":{"value":2}', '"output":{"value":3}'));
    assert.match(await refuse(forged, "VALIDATION_ERROR"), /output is not the one/);
    const cut = { ...exported, events: exported.events.toSpliced(1, 1) };
    assert.match(await refuse(cut, "VALIDATION_ERROR"), /Seq is 3: wanted 2/);
    const otherPlan = { ...exported, plan: { ...exported.plan, workflow: "x" } };
    assert.match(await refuse(otherPlan, "VALIDATION_ERROR"), /plan is not the one/);
    const twice = { ...exported, children: [...exported.children!, ...exported.children!] };
    assert.match(await refuse(twice, "VALIDATION_ERROR"), /twice/);
  });

  await t.step("pruning takes whole trees that are over, and leaves young keys and what lives", async () => {
    const filter = { olderThan: "0s" };
    const counted = await hub.api("POST", "/api/runs/prune", { body: { filter, action: "delete", dryRun: true } });
    assert.deepEqual([counted.body.trees, counted.body.isComplete], [1, true]);
    const job = await prune(hub, { filter, action: "delete" });
    assert.deepEqual([job.trees, job.runs], [1, 2]);
    const ids = (await hub.api<{ items: { id: string }[] }>("GET", "/api/runs")).body.items.map(({ id }) => id);
    assert.deepEqual(ids.toSorted(), [keyed, sleeper.id].toSorted());
    assert.equal((await hub.api("GET", `/api/runs/${family}`)).status, 404);
    assert.equal((await hub.api("GET", `/api/calls/${exported.children![0]!.run.id}`)).status, 404);
    assert.equal(await start(hub, "kid", { "idempotency-key": "once" }), keyed);
    const { status } = await hub.api("POST", "/api/runs/prune", { body: { filter: {}, action: "delete" } });
    assert.equal(status, 400);
  });

  await t.step("an import brings the tree back as it was, and says who did it", async () => {
    const imported = await hub.api("POST", "/api/runs/import", { body: exported });
    assert.deepEqual([imported.status, imported.body.id, imported.body.runs], [201, family, 2]);
    const again = (await hub.api<Export>("GET", `/api/runs/${family}/export?tree=true`)).body;
    assert.deepEqual(again.events.slice(1), exported.events.slice(1));
    assert.deepEqual(again.children?.[0]?.events.slice(1), exported.children?.[0]?.events.slice(1));
    const labels = again.events[0]!.labels as Record<string, string>;
    assert.equal(typeof labels["hub.imported"], "string");
    const tree = await hub.api<{ children: unknown[] }>("GET", `/api/calls/${family}/tree`);
    assert.equal(tree.body.children.length, 2);
  });

  await t.step("an archive is written before anything is deleted, and restores it", async () => {
    const job = await prune(hub, { filter: { olderThan: "0s", workflow: "family" }, action: "archive" });
    const [file] = job.files as string[];
    const path = `${hub.dataDir}/archive/${file}`;
    const lines = gunzipSync(await Deno.readFile(path)).toString().trimEnd().split("\n");
    assert.deepEqual(lines.map((line) => (JSON.parse(line) as Export).run.id), [family]);
    assert.equal((await hub.api("GET", `/api/runs/${family}`)).status, 404);
    const root = new URL("../../", import.meta.url).pathname;
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        "--config",
        `${root}deno.json`,
        `${root}src/cli/main.ts`,
        "runs",
        "restore",
        path,
      ],
      env: { HUB_DATA_DIR: hub.dataDir, NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    assert.match(decoder.decode(stdout), /Restored 1 runs, 0 were there, 0 failed/, decoder.decode(stderr));
    assert.equal((await hub.api("GET", `/api/runs/${family}`)).body.status, "completed");
  });
});
