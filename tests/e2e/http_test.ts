/** The main job over HTTP against a real hub process, as surface.md has it. */
import assert from "node:assert/strict";
import { container, type HubProcess, operation, readSse, startHubProcess, until } from "./_hub_process.ts";

const CHAIN = container("sequential", [
  operation("core.echo", "a", { value: { $ref: "input.n" } }),
  operation("core.eval", "b", { expression: "a * 2", vars: { a: { $ref: "nodes.a.value" } } }),
  operation("core.echo", "c", { value: { $ref: "nodes.b" } }),
]);

Deno.test("a hub that sets itself up serves the main job over HTTP", async (t) => {
  await using hub = await startHubProcess();

  await t.step("PUT a JSON template, run it with Prefer: wait, see its graph", async () => {
    const put = await hub.api("PUT", "/api/workflows/x", { body: { template: CHAIN } });
    assert.equal(put.status, 200, JSON.stringify(put.body));
    assert.equal(put.body.expose, null);
    const exposed = await hub.api("PUT", "/api/workflows/tool", { body: { template: CHAIN, expose: "tool" } });
    assert.equal(exposed.body.expose, "tool", JSON.stringify(exposed.body));
    const unknown = await hub.api("PUT", "/api/workflows/tool", { body: { template: CHAIN, expose: "door" } });
    assert.deepEqual([unknown.status, unknown.body.code], [400, "VALIDATION_ERROR"]);
    const run = await hub.api("POST", "/api/workflows/x/runs", {
      body: { input: { n: 21 } },
      headers: { prefer: "wait=10" },
    });
    assert.equal(run.status, 200, JSON.stringify(run.body));
    assert.equal(run.body.status, "completed");
    assert.match(JSON.stringify(run.body.output), /42/);
    const graph = await hub.api<Graph>("GET", `/api/runs/${run.body.id}/graph`);
    assert.deepEqual(graph.body.nodes.map((node) => [node.key, node.status]), [["a", "completed"], ["b", "completed"], [
      "c",
      "completed",
    ]]);
    assert.deepEqual(graph.body.edges.map(({ source, target, dataFlow }) => [source, target, dataFlow]), [[
      "a",
      "b",
      true,
    ], ["b", "c", true]]);
    const mermaid = await hub.api<string>("GET", `/api/runs/${run.body.id}/graph?format=mermaid`);
    assert.match(mermaid.body, /flowchart|graph/);
  });

  await t.step("events come as JSON and as SSE, and Last-Event-ID resumes without a gap", async () => {
    const run = await hub.api("POST", "/api/workflows/x/runs", {
      body: { input: { n: 1 } },
      headers: { prefer: "wait=10" },
    });
    const json = await hub.api<{ items: { seq: number; type: string }[] }>("GET", `/api/runs/${run.body.id}/events`);
    const all = await readSse(`${hub.url}/api/runs/${run.body.id}/events`, hub.key);
    assert.deepEqual(all.map(({ id }) => id), all.map((_, i) => i + 1));
    assert.equal(all.at(-1)?.event, "run.completed");
    assert.deepEqual(json.body.items.map(({ type }) => type), all.map(({ event }) => event));
    const rest = await readSse(`${hub.url}/api/runs/${run.body.id}/events`, hub.key, { "last-event-id": "3" });
    assert.deepEqual(rest.map(({ id }) => id), all.slice(3).map(({ id }) => id));
  });

  await t.step("an abort in the middle of a run ends it, and a second one is told so", async () => {
    const put = await hub.api("PUT", "/api/workflows/long", {
      body: {
        template: container("sequential", [
          operation("core.sleep", "zzz", { ms: 60_000 }),
          operation("core.echo", "never", { value: 1 }),
        ]),
      },
    });
    assert.equal(put.status, 200);
    const run = await hub.api("POST", "/api/workflows/long/runs", { body: { input: {} } });
    assert.equal(run.status, 202);
    await until("the sleep runs", async () => (await statuses(hub, run.body.id)).zzz === "running");
    const why = await hub.api<{ items: { key: string; waitsFor: string }[] }>("GET", `/api/runs/${run.body.id}/why`);
    assert.deepEqual(why.body.items.map(({ key, waitsFor }) => [key, waitsFor]), [["zzz", "call"], [
      "never",
      "predecessors",
    ]]);
    const stream = readSse(`${hub.url}/api/runs/${run.body.id}/events`, hub.key);
    const abort = await hub.api("POST", `/api/runs/${run.body.id}/abort`, { body: {} });
    assert.deepEqual([abort.status, abort.body.status], [200, "aborted"]);
    assert.deepEqual(await statuses(hub, run.body.id), { zzz: "aborted", never: "aborted" });
    assert.equal((await stream).at(-1)?.event, "run.aborted");
    const again = await hub.api("POST", `/api/runs/${run.body.id}/abort`, { body: {} });
    assert.deepEqual([again.status, again.body.code], [409, "RUN_ENDED"]);
  });

  await t.step("the same Idempotency-Key is the same run", async () => {
    const start = () =>
      hub.api("POST", "/api/workflows/x/runs", { body: { input: { n: 1 } }, headers: { "idempotency-key": "once" } });
    const answers = await Promise.all([start(), start(), start()]);
    assert.equal(new Set(answers.map(({ body }) => body.id)).size, 1);
    const other = await hub.api("POST", "/api/workflows/x/runs", {
      body: { input: { n: 2 } },
      headers: { "idempotency-key": "once" },
    });
    assert.deepEqual([other.status, other.body.code], [422, "IDEMPOTENCY_MISMATCH"]);
  });

  await t.step("lists, calls and the call tree", async () => {
    const list = await hub.api<{ items: { id: string; workflow: string }[]; nextCursor: string | null }>(
      "GET",
      "/api/runs?workflow=x&limit=2",
    );
    assert.equal(list.body.items.length, 2);
    assert.ok(list.body.nextCursor);
    const next = await hub.api<{ items: { id: string }[] }>(
      "GET",
      `/api/runs?workflow=x&limit=2&cursor=${encodeURIComponent(list.body.nextCursor)}`,
    );
    assert.ok(next.body.items.every(({ id }) => list.body.items.every((item) => item.id !== id)));
    const id = list.body.items[0]!.id;
    const calls = await hub.api<
      { items: { requestId: string; nodeKey: string | null; parentRequestId: string | null }[] }
    >("GET", `/api/runs/${id}/calls`);
    assert.deepEqual(calls.body.items.map(({ nodeKey }) => nodeKey), [null, "a", "b", "c"]);
    const call = await hub.api("GET", `/api/calls/${calls.body.items[1]!.requestId}`);
    assert.equal(call.body.operationId, "core.echo");
    const tree = await hub.api<{ children: unknown[] }>("GET", `/api/calls/${id}/tree`);
    assert.equal(tree.body.children.length, 3);
  });

  await t.step("operations can be listed, read and called", async () => {
    const found = await hub.api<{ items: { id?: string; name: string }[] }>("GET", "/api/operations?q=echo");
    assert.ok(JSON.stringify(found.body.items).includes("core.echo"));
    for (const body of [{ input: { value: "hi" } }, { value: "hi" }]) {
      const call = await hub.api<{ data: unknown }>("POST", "/api/operations/core.echo", { body });
      assert.equal(call.status, 200, JSON.stringify(call.body));
      assert.deepEqual(call.body.data, { value: "hi" });
    }
  });

  await t.step("keys are made, restricted, rotated and revoked", async () => {
    const made = await hub.api<{ key: string; record?: { id: string }; id?: string }>("POST", "/api/keys", {
      body: { name: "reader", scopes: ["run:read"] },
    });
    assert.ok(made.status === 201 || made.status === 200, JSON.stringify(made.body));
    const id = made.body.record?.id ?? made.body.id!;
    assert.equal((await hub.api("GET", "/api/runs", { key: made.body.key })).status, 200);
    const denied = await hub.api("POST", "/api/workflows/x/runs", { body: { input: { n: 1 } }, key: made.body.key });
    assert.deepEqual([denied.status, denied.body.code], [403, "ACCESS_DENIED"]);
    const revoked = await hub.api("POST", `/api/keys/${id}/revoke`, { body: {} });
    const gone = revoked.status === 404 ? await hub.api("DELETE", `/api/keys/${id}`) : revoked;
    assert.ok(gone.status < 300, JSON.stringify(gone.body));
    assert.equal((await hub.api("GET", "/api/runs", { key: made.body.key })).status, 401);
  });

  await t.step("health, readiness, metrics and the OpenAPI document need no key", async () => {
    for (const path of ["/health", "/ready", "/openapi.json", "/docs", "/"]) {
      assert.equal((await hub.api("GET", path, { key: null })).status, 200, path);
    }
    const api = await hub.api<{ openapi: string; paths: Record<string, unknown> }>("GET", "/openapi.json", {
      key: null,
    });
    assert.match(api.body.openapi, /^3\.1/);
    assert.ok("/api/workflows/{name}/runs" in api.body.paths);
    const metrics = await hub.api<string>("GET", "/metrics");
    assert.match(metrics.body, /hub_runs_live/);
  });

  await t.step("SIGTERM drains and ends with 0", async () => {
    assert.equal(await hub.kill("SIGTERM"), 0, hub.stderr());
  });
});

interface Graph {
  readonly nodes: readonly { readonly key: string; readonly status: string }[];
  readonly edges: readonly { readonly source: string; readonly target: string; readonly dataFlow: boolean }[];
}

async function statuses(hub: HubProcess, runId: unknown): Promise<Record<string, string>> {
  const graph = await hub.api<Graph>("GET", `/api/runs/${runId}/graph`);
  return Object.fromEntries(graph.body.nodes.map(({ key, status }) => [key, status]));
}

Deno.test("an open socket of a revoked key is closed within a second (I10)", async () => {
  await using hub = await startHubProcess();
  const made = await hub.api<{ key: string; record: { id: string } }>("POST", "/api/keys", {
    body: { name: "spoke", scopes: ["spoke:connect"] },
  });
  const socket = new WebSocket(`${hub.url.replace("http", "ws")}/ws`, ["alkdev.v1", `bearer.${made.body.key}`]);
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error("the socket did not open"));
  });
  const closed = new Promise<number>((resolve) => socket.onclose = (event) => resolve(event.code));
  const revoked = await hub.api("DELETE", `/api/keys/${made.body.record.id}`);
  const begin = Date.now();
  assert.ok(revoked.status < 300, JSON.stringify(revoked.body));
  assert.equal(await closed, 1008);
  // A second is promised; a machine that runs the other tests beside this one may be slow to say so.
  assert.ok(Date.now() - begin < 2500, `it took ${Date.now() - begin} ms`);
});

Deno.test("a request that finds the hub not ready is told so, with Retry-After", async () => {
  await using hub = await startHubProcess();
  const stop = hub.kill("SIGTERM");
  // Whatever it still answers while it drains is either done or refused with a reason: never a bare 500.
  for (let i = 0; i < 20; i++) {
    const answer = await hub.api("GET", "/api/runs").catch(() => null);
    if (answer === null) break;
    assert.ok(
      answer.status === 200 || (answer.status === 503 && answer.headers.has("retry-after")),
      String(answer.status),
    );
  }
  assert.equal(await stop, 0);
});
