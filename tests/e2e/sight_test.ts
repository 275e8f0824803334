/** What a hub shows of runs beside their state: logs, progress, why, metrics, across kill -9. */
import assert from "node:assert/strict";
import { connectSpoke, type SpokeHandle } from "@alkdev/spoke";
import type { OperationContext } from "@alkdev/operations";
import { container, type HubProcess, operation, readSse, startHubProcess, until } from "./_hub_process.ts";
import { freePort } from "../support/free_port.ts";

interface Work {
  readonly traceparents: (string | undefined)[];
  readonly release: () => void;
  readonly spoke: SpokeHandle;
}

/** A spoke whose `t.work` speaks, and then waits until it is released. */
function startSpoke(hub: HubProcess): Work {
  const traceparents: (string | undefined)[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const spoke = connectSpoke({
    url: hub.url.replace(/^http/, "ws") + "/ws",
    key: hub.key,
    name: "talker",
    spokeType: "test",
    operations: [{
      namespace: "t",
      name: "work",
      version: "1.0.0",
      type: "mutation",
      description: "Speaks while it works.",
      inputSchema: {},
      outputSchema: {},
      accessControl: { requiredScopes: [] },
      handler: async (_input: unknown, context: OperationContext) => {
        traceparents.push(context.traceparent);
        context.log?.("info", "begun", { token: "alk_abcdefghijklmnop1234", n: 1 });
        context.log?.("warn", "be careful");
        context.progress?.({ value: 1, total: 4, message: "a quarter" });
        await promise;
        context.log?.("error", "done");
        return { ok: true };
      },
    }],
  });
  return { traceparents, release: resolve, spoke };
}

interface EstimateBody {
  readonly missing: readonly { readonly key: string; readonly what: string }[];
  readonly operations: readonly { readonly operationId: string; readonly attempts: number }[];
  readonly workflow: { readonly attempts: number } | null;
}

interface Line {
  readonly id: number;
  readonly key: string;
  readonly level: string;
  readonly message: string;
  readonly data: unknown;
}

Deno.test("logs and progress of a spoke's call are there at once, survive kill -9, and can be followed to the end", async () => {
  const port = String(freePort());
  const dataDir = await Deno.makeTempDir({ prefix: "hub-e2e-sight-" });
  const env = { HUB_PORT: port };
  const first = await startHubProcess({ dataDir, env, keep: true });
  const { release, spoke, traceparents } = startSpoke(first);
  try {
    await until("the spoke is there", async () => (await first.api("GET", "/api/operations/t.work")).status === 200);
    const template = container("sequential", [operation("t.work", "w"), operation("core.echo", "later", { value: 1 })]);
    assert.equal((await first.api("PUT", "/api/workflows/talk", { body: { template } })).status, 200);
    const headers = { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" };
    const { body: { id } } = await first.api<{ id: string }>("POST", "/api/workflows/talk/runs", { body: {}, headers });
    const said = await until("the lines are there", async () => {
      const { body } = await first.api<{ items: Line[] }>("GET", `/api/runs/${id}/logs`);
      return body.items.length === 2 && body.items;
    });
    assert.deepEqual(said.map(({ key, level, message }) => [key, level, message]), [
      ["w", "info", "begun"],
      ["w", "warn", "be careful"],
    ]);
    assert.deepEqual(said[0]!.data, { token: "[redacted]", n: 1 });
    const grave = await first.api<{ items: Line[] }>("GET", `/api/runs/${id}/logs?level=warn&node=w`);
    assert.deepEqual(grave.body.items.map(({ message }) => message), ["be careful"]);
    assert.match(traceparents[0] ?? "", /^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/);
    const why = await first.api<{ items: { key: string; waitsFor: string; message: string; operationId: string }[] }>(
      "GET",
      `/api/runs/${id}/why`,
    );
    assert.deepEqual(why.body.items.map(({ key, operationId }) => [key, operationId]), [
      ["w", "t.work"],
      ["later", "core.echo"],
    ]);
    assert.match(why.body.items[0]!.message, /under way on spoke "talker"/);

    await first.kill("SIGKILL");
    const second = await startHubProcess({ dataDir, env, keep: true });
    await using _ = second;
    const graph = await second.api<{ nodes: { key: string; progress?: { value: number; total: number } }[] }>(
      "GET",
      `/api/runs/${id}/graph`,
    );
    const { progress } = graph.body.nodes.find(({ key }) => key === "w")!;
    assert.deepEqual([progress?.value, progress?.total], [1, 4]);
    const view = await second.api<{ lastProgress?: { key: string; message: string } }>("GET", `/api/runs/${id}`);
    assert.deepEqual([view.body.lastProgress?.key, view.body.lastProgress?.message], ["w", "a quarter"]);
    const followed = readSse(`${second.url}/api/runs/${id}/logs`, second.key, { "last-event-id": String(said[0]!.id) });
    await until("the spoke is back", async () => {
      const spokes = await second.api<{ items: { status: string }[] }>("GET", "/api/spokes");
      return spokes.body.items.some(({ status }) => status === "connected");
    });
    release();
    const frames = await followed;
    assert.deepEqual(frames.map(({ data }) => data.message), ["be careful", "done"]);
    const { estimate } = await until("history is written", async () => {
      const { body } = await second.api<{ estimate: EstimateBody }>("POST", "/api/workflows/talk/dry-run", {
        body: {},
      });
      return (body.estimate.workflow?.attempts ?? 0) > 0 && body;
    });
    assert.deepEqual(estimate.missing, [{ key: "w", what: "operation" }]); // begun in a process that was killed
    assert.equal(estimate.operations.find(({ operationId }) => operationId === "core.echo")?.attempts, 1);
    const { text } = await metrics(second);
    assert.match(text, /hub_runs_ended_total\{workflow="talk",status="completed"\} 1/);
    assert.match(text, /hub_call_duration_seconds_count\{operation="core.echo",outcome="ok"\} 1/);
    assert.match(text, /hub_http_request_duration_seconds_count\{route="\/api\/runs\/:id",method="GET",status="200"\}/);
    assert.match(text, /hub_commit_events_sum [1-9]/);
  } finally {
    release();
    await spoke.close();
    await first.kill("SIGKILL");
    await Deno.remove(dataDir, { recursive: true }).catch(() => {});
  }
});

async function metrics(hub: HubProcess): Promise<{ readonly text: string }> {
  const { body } = await hub.api<string>("GET", "/metrics");
  return { text: body };
}
