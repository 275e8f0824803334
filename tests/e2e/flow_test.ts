/** Limits, queues and holds against a real hub. */
import assert from "node:assert/strict";
import { container, type HubProcess, operation, startHubProcess, until } from "./_hub_process.ts";

interface Run {
  readonly id: string;
  readonly status: string;
  readonly error: { readonly code: string } | null;
}

async function put(hub: HubProcess, name: string, ms: number, more: object = {}): Promise<void> {
  const template = container("sequential", [operation("core.sleep", "work", { ms })]);
  const { status, body } = await hub.api("PUT", `/api/workflows/${name}`, { body: { template, ...more } });
  assert.equal(status, 200, JSON.stringify(body));
}

async function start(hub: HubProcess, workflow: string, body: object = {}): Promise<Run> {
  const answer = await hub.api<Run>("POST", `/api/workflows/${workflow}/runs`, { body });
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  return answer.body;
}

async function run(hub: HubProcess, id: string): Promise<Run> {
  return (await hub.api<Run>("GET", `/api/runs/${id}`)).body;
}

async function ended(hub: HubProcess, id: string): Promise<Run> {
  await until(
    `run ${id} has ended`,
    async () => ["completed", "failed", "aborted"].includes((await run(hub, id)).status),
  );
  return await run(hub, id);
}

async function why(hub: HubProcess, id: string): Promise<{ readonly waitsFor: string; readonly message: string }> {
  const { body } = await hub.api<{ items: { waitsFor: string; message: string }[] }>("GET", `/api/runs/${id}/why`);
  return body.items[0]!;
}

Deno.test("a hub queues, replaces, rejects and debounces runs as their workflow says", async (t) => {
  await using hub = await startHubProcess();
  await t.step("concurrency by key", async () => {
    await put(hub, "queued", 1_000, { flow: { concurrency: { limit: 1, key: "input.tenant" } } });
    const [first, second, other] = [
      await start(hub, "queued", { input: { tenant: "a" } }),
      await start(hub, "queued", { input: { tenant: "a" } }),
      await start(hub, "queued", { input: { tenant: "b" } }),
    ];
    assert.equal(second.status, "queued");
    await until(
      "both of different keys run",
      async () => (await run(hub, first.id)).status === "running" && (await run(hub, other.id)).status === "running",
    );
    const waiting = await why(hub, second.id);
    assert.equal(waiting.waitsFor, "flow");
    assert.match(
      waiting.message,
      new RegExp(`Waits for "workflow:queued:a".*number 1 in line; held by run ${first.id}`),
    );
    const key = await hub.api<{ running: number; waiting: number; tickets: { runId: string }[] }>(
      "GET",
      `/api/flow/${encodeURIComponent("workflow:queued:a")}`,
    );
    assert.deepEqual([key.body.running, key.body.waiting], [1, 1]);
    assert.deepEqual(key.body.tickets.map(({ runId }) => runId), [first.id, second.id]);
    const listed = await hub.api<{ items: Run[] }>("GET", "/api/runs?status=queued");
    assert.deepEqual(listed.body.items.map(({ id }) => id), [second.id]);
    assert.equal((await ended(hub, second.id)).status, "completed");
    await until(
      "the key is free",
      async () => (await hub.api("GET", "/api/flow/workflow%3Aqueued%3Aa")).status === 404,
    );
  });
  await t.step("replace", async () => {
    await put(hub, "replaced", 300, { flow: { concurrency: { limit: 1 }, onConflict: "replace" } });
    const runs = [await start(hub, "replaced"), await start(hub, "replaced"), await start(hub, "replaced")];
    const ends = await Promise.all(runs.map(({ id }) => ended(hub, id)));
    assert.deepEqual(ends.map(({ status }) => status), ["completed", "aborted", "completed"]);
    assert.equal(ends[1]!.error?.code, "REPLACED");
  });
  await t.step("reject", async () => {
    await put(hub, "rejected", 300, { flow: { concurrency: { limit: 1 }, onConflict: "reject" } });
    const headers = { "idempotency-key": "one" };
    const body = {};
    const path = "/api/workflows/rejected/runs";
    const [a, b] = await Promise.all([
      hub.api<Run & { code?: string }>("POST", path, { body }),
      hub.api<Run & { code?: string }>("POST", path, { body }),
    ]);
    assert.deepEqual([a.status, b.status].toSorted(), [202, 409]);
    assert.equal((a.status === 409 ? a : b).body.code, "CONFLICT_REJECTED");
    await ended(hub, (a.status === 202 ? a : b).body.id);
    await until("there is room", async () => (await hub.api("POST", path, { body, headers })).status === 202);
    const again = await hub.api<{ duplicate: boolean }>("POST", path, { body, headers });
    assert.equal(again.body.duplicate, true, "the run that has the key is no conflict");
  });
  await t.step("a child counts under the place that the runs waiting for it have", async () => {
    const child = (name: string, input: object) => ({
      type: "workflow",
      props: { name, key: "c", input },
      children: [],
    });
    const flow = { concurrency: { limit: 1, key: "input.tenant" } };
    const more = { type: "conditional", props: { when: "input.deep" }, children: [child("between", { tenant: "a" })] };
    const body = { template: container("sequential", [more, operation("core.echo", "last", { value: 1 })]), flow };
    for (const reject of [false, true]) {
      const outer = reject ? { ...body, flow: { ...flow, onConflict: "reject" } } : body;
      assert.equal((await hub.api("PUT", "/api/workflows/nested", { body: outer })).status, 200);
      const template = container("sequential", [child("nested", { tenant: "a", deep: false })]);
      assert.equal((await hub.api("PUT", "/api/workflows/between", { body: { template } })).status, 200);
      const first = await start(hub, "nested", { input: { tenant: "a", deep: true } });
      assert.deepEqual((await ended(hub, first.id)).status, "completed");
      await until(
        "the place is free again",
        async () => (await hub.api("GET", "/api/flow/workflow%3Anested%3Aa")).status === 404,
      );
    }
  });
  await t.step("debounce and startAfter", async () => {
    await put(hub, "debounced", 1, { flow: { debounce: { per: "400ms" } } });
    const first = await start(hub, "debounced", { input: { n: 1 } });
    const last = await start(hub, "debounced", { input: { n: 2 } });
    assert.equal((await ended(hub, first.id)).error?.code, "REPLACED");
    assert.equal((await ended(hub, last.id)).status, "completed");
    const at = Date.now() + 700;
    const later = await start(hub, "debounced", { startAfter: new Date(at).toISOString() });
    assert.equal(later.status, "queued");
    assert.equal((await why(hub, later.id)).waitsFor, "timer");
    await ended(hub, later.id);
    assert.ok(Date.now() >= at);
  });
  await t.step("what is wrong with a flow is told with its place", async () => {
    const template = container("sequential", [operation("core.echo", "a", {})]);
    const answer = await hub.api<{ code: string; errors: { path: string }[] }>("PUT", "/api/workflows/wrong", {
      body: { template, flow: { rate: { limit: 1, per: "soon" } } },
    });
    assert.equal(answer.status, 422);
    assert.deepEqual(answer.body.errors.map(({ path }) => path), ["/flow/rate/per"]);
  });
});

Deno.test("limits and holds act on calls and runs at once, and survive kill -9", async (t) => {
  const dataDir = await Deno.makeTempDir({ prefix: "hub-e2e-flow-" });
  try {
    const first = await startHubProcess({ dataDir, keep: true });
    const keyed = (key: string) => ({
      type: "operation",
      props: { name: "core.sleep", key, input: { ms: 400 }, concurrencyKey: "gpu" },
      children: [],
    });
    const template = container("parallel", [keyed("a"), keyed("b")]);
    await first.api("PUT", "/api/workflows/keyed", { body: { template } });
    const { id } = await start(first, "keyed");
    await t.step("a concurrencyKey without a limit is for one call", async () => {
      await until("one waits", async () => (await why2(first, id)).some(({ waitsFor }) => waitsFor === "flow"));
    });
    await put(first, "plain", 10);
    const hold = await first.api<{ id: string }>("POST", "/api/holds", {
      body: { kind: "workflow", name: "plain", reason: "repair" },
    });
    assert.equal(hold.status, 201);
    const held = await start(first, "plain");
    await first.kill("SIGKILL");
    await using hub = await startHubProcess({ dataDir, keep: true });
    await t.step("both calls end after the restart", async () => {
      assert.equal((await ended(hub, id)).status, "completed");
    });
    await t.step("the hold is still there, and names itself", async () => {
      assert.equal((await run(hub, held.id)).status, "queued");
      const waiting = await why(hub, held.id);
      assert.equal(waiting.waitsFor, "hold");
      assert.match(waiting.message, /^Workflow "plain" is held by .*repair$/);
      assert.equal((await hub.api("DELETE", `/api/holds/${hold.body.id}`)).status, 204);
      assert.equal((await ended(hub, held.id)).status, "completed");
    });
    await t.step("an operation's hold keeps its calls back, a limit of 0 too", async () => {
      const { body } = await hub.api<{ id: string }>("POST", "/api/holds", {
        body: { kind: "operation", name: "core.sleep" },
      });
      const one = await start(hub, "plain");
      await until("it waits for the hold", async () => (await why(hub, one.id))?.waitsFor === "hold");
      await hub.api("PUT", "/api/limits/operation:core.sleep", { body: { concurrency: 0 } });
      await hub.api("DELETE", `/api/holds/${body.id}`);
      const two = await start(hub, "plain");
      await until("it waits for the limit", async () => (await why(hub, two.id))?.waitsFor === "flow");
      assert.equal((await hub.api("DELETE", "/api/limits/operation:core.sleep")).status, 204);
      assert.equal((await ended(hub, two.id)).status, "completed");
      assert.equal((await ended(hub, one.id)).status, "completed");
    });
  } finally {
    await Deno.remove(dataDir, { recursive: true }).catch(() => {});
  }
});

async function why2(hub: HubProcess, id: string): Promise<readonly { readonly waitsFor: string }[]> {
  return (await hub.api<{ items: { waitsFor: string }[] }>("GET", `/api/runs/${id}/why`)).body.items;
}
