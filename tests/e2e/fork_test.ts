/** A failed run is forked over HTTP, its hub is killed in the middle: the fork finishes, and what it reused never ran again. */
import assert from "node:assert/strict";
import { container, operation, startHubProcess, until } from "./_hub_process.ts";

interface Event {
  readonly type: string;
  readonly key?: string;
  readonly source?: { readonly runId: string };
}

Deno.test("a fork of a failed run finishes after kill -9, and what it reused never runs in it", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "hub-e2e-fork-" });
  try {
    const first = await startHubProcess({ dataDir, keep: true });
    await using _first = first;
    const template = container("sequential", [
      container("map", [operation("core.echo", "m", { value: { $ref: "item" } })], {
        over: { $ref: "input.items" },
        as: "item",
        key: "each",
      }),
      container("conditional", [operation("core.fail", "bad", { code: "BROKEN", message: "on purpose" })], {
        when: "input.fail",
      }),
      container("parallel", [
        operation("core.sleep", "quick", { ms: 1 }),
        operation("core.sleep", "slow", { ms: 1500 }),
      ]),
      operation("core.echo", "end", { value: { $ref: "nodes.m" } }),
    ]);
    const put = await first.api("PUT", "/api/workflows/fork-me", { body: { template } });
    assert.equal(put.status, 200, JSON.stringify(put.body));
    const run = await first.api<{ id: string; status: string }>("POST", "/api/workflows/fork-me/runs", {
      body: { input: { items: [1, 2, 3], fail: true } },
      headers: { prefer: "wait=10" },
    });
    assert.equal(run.body.status, "failed", JSON.stringify(run.body));
    const parent = run.body.id;
    const eventsOf = async (hub: typeof first, id: string) =>
      (await hub.api<{ items: Event[] }>("GET", `/api/runs/${id}/events?limit=1000`)).body.items;
    const parentEvents = await eventsOf(first, parent);

    const unknown = await first.api<{ code: string; detail: string }>("POST", `/api/runs/${parent}/fork`, {
      body: { from: "quik" },
    });
    assert.equal(unknown.status, 400);
    assert.match(unknown.body.detail, /did you mean "quick"/);

    const forked = await first.api<{ id: string; reused: number }>("POST", `/api/runs/${parent}/fork`, {
      body: { input: { items: [1, 2, 3], fail: false } },
    });
    assert.equal(forked.status, 202, JSON.stringify(forked.body));
    assert.equal(forked.body.reused, 3);
    const { id } = forked.body;
    await until(
      "it is in the middle",
      async () => (await eventsOf(first, id)).some(({ type, key }) => type === "call.responded" && key === "quick"),
    );
    await first.kill("SIGKILL");

    await using second = await startHubProcess({ dataDir, keep: true });
    const end = await until("the fork ends", async () => {
      const { body } = await second.api<{ status: string; output: unknown; lineage: { runId: string; kind: string } }>(
        "GET",
        `/api/runs/${id}`,
      );
      return body.status !== "running" && body;
    });
    assert.deepEqual([end.status, end.output], ["completed", { value: [{ value: 1 }, { value: 2 }, { value: 3 }] }]);
    assert.deepEqual([end.lineage.runId, end.lineage.kind], [parent, "fork"]);
    const events = await eventsOf(second, id);
    const ran = events.filter(({ type }) => type.startsWith("call.")).map(({ key }) => key);
    assert.deepEqual(ran.filter((key) => key?.startsWith("m[")), []);
    assert.deepEqual([...new Set(ran)].sort(), ["end", "quick", "slow"]);
    assert.equal(ran.filter((key) => key === "quick").length, 2); // requested and responded, once
    assert.deepEqual(await eventsOf(second, parent), parentEvents);
    const list = await second.api<{ items: { id: string }[] }>("GET", `/api/runs?lineage=${parent}`);
    assert.deepEqual(list.body.items.map((item) => item.id), [id]);
    const graph = await second.api<{ nodes: { key: string; reusedFrom?: { runId: string } }[] }>(
      "GET",
      `/api/runs/${id}/graph`,
    );
    assert.equal(graph.body.nodes.find(({ key }) => key === "m[1]")?.reusedFrom?.runId, parent);
    const calls = await second.api<{ items: { nodeKey: string; reusedFrom?: { runId: string } }[] }>(
      "GET",
      `/api/runs/${id}/calls`,
    );
    assert.equal(calls.body.items.find(({ nodeKey }) => nodeKey === "m[1]")?.reusedFrom?.runId, parent);
  } finally {
    await Deno.remove(dataDir, { recursive: true }).catch(() => {});
  }
});
