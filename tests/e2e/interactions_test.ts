/** Features that meet: each works alone elsewhere. One hub, embedded. */
import assert from "node:assert/strict";
import { container, type HubProcess, operation, startHubProcess, until } from "./_hub_process.ts";

interface Run {
  readonly id: string;
  readonly status: string;
  readonly output: unknown;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly priority: number;
  readonly budget: { readonly calls?: { readonly limit: number; readonly spent: number } } | null;
  readonly lineage: { readonly runId: string } | null;
  readonly version: string;
}
interface Event {
  readonly seq: number;
  readonly type: string;
  readonly key?: string;
}

class Client {
  readonly hub: HubProcess;
  constructor(hub: HubProcess) {
    this.hub = hub;
  }

  async put(name: string, template: unknown, more: object = {}): Promise<string> {
    const { status, body } = await this.hub.api<{ version: string }>("PUT", `/api/workflows/${name}`, {
      body: { template, ...more },
    });
    assert.ok(status < 300, JSON.stringify(body));
    return body.version;
  }

  async post<T = Run>(path: string, body: object = {}, wanted = 202): Promise<T> {
    const answer = await this.hub.api<T>("POST", path, { body });
    assert.equal(answer.status, wanted, `${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  start(workflow: string, body: object = {}): Promise<Run> {
    return this.post(`/api/workflows/${workflow}/runs`, body);
  }

  async run(id: string): Promise<Run> {
    const { status, body } = await this.hub.api<Run>("GET", `/api/runs/${id}`);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  }

  ended(id: string): Promise<Run> {
    return until(`run ${id} ends`, async () => {
      const run = await this.run(id);
      return ["completed", "failed", "aborted"].includes(run.status) && run;
    });
  }

  async events(id: string): Promise<readonly Event[]> {
    return (await this.hub.api<{ items: Event[] }>("GET", `/api/runs/${id}/events?limit=1000`)).body.items;
  }

  async statuses(id: string): Promise<Readonly<Record<string, string>>> {
    const { body } = await this.hub.api<{ nodes: { key: string; status: string }[] }>("GET", `/api/runs/${id}/graph`);
    return Object.fromEntries(body.nodes.map(({ key, status }) => [key, status]));
  }
}

const map = (child: unknown, props: object) => container("map", [child], { as: "item", ...props });
const signal = (key: string) => ({ type: "signal", props: { key, name: key }, children: [] });

const FILE = (last: string) => `
import { defineWorkflow, Operation, Sequential, Signal } from "@alkdev/flowgraph";
export default defineWorkflow({
  name: "from_file",
  template: (
    <Sequential>
      <Signal key="go" name="go" />
      <Operation key="last" name="core.echo" input={{ value: "${last}" }} />
    </Sequential>
  ),
});
`;

Deno.test("features that meet", async (t) => {
  let isUp = false;
  const told: string[] = [];
  await using receiver = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    const text = await request.text();
    if (!isUp) return new Response("not now", { status: 503 });
    told.push(JSON.parse(text).data.runId);
    return new Response("thanks");
  });
  const dataDir = await Deno.makeTempDir({ prefix: "hub-e2e-" });
  await Deno.mkdir(`${dataDir}/workflows`);
  const file = `${dataDir}/workflows/from_file.tsx`;
  await Deno.writeTextFile(file, FILE("old"));
  const config = { egress: { allowPrivate: [`127.0.0.1:${receiver.addr.port}`] } };
  await Deno.writeTextFile(`${dataDir}/config.jsonc`, JSON.stringify(config));
  await using hub = await startHubProcess({ dataDir, env: { HUB_WORKFLOWS: `${dataDir}/workflows` } });
  const client = new Client(hub);

  await t.step(
    "a fork waits in its workflow's line, with a budget of its own that what is reused does not touch",
    async () => {
      await client.put(
        "lined",
        container("sequential", [
          operation("core.echo", "a", { value: 1 }),
          container("conditional", [operation("core.fail", "bad", { code: "BAD", message: "x" })], {
            when: "input.fail",
          }),
          operation("core.sleep", "nap", { ms: 400 }),
        ]),
        { flow: { concurrency: { limit: 1 } } },
      );
      const failed = await client.ended(
        (await client.start("lined", {
          input: { fail: true },
          budget: { calls: 2 },
          priority: 3,
          labels: { team: "x" },
        })).id,
      );
      assert.deepEqual([failed.status, failed.error?.code], ["failed", "BAD"]);
      const holder = await client.start("lined", { input: { fail: false } });
      const fork = await client.post(`/api/runs/${failed.id}/fork`, { input: { fail: false } });
      assert.equal(fork.status, "queued");
      const end = await client.ended(fork.id);
      assert.equal((await client.run(holder.id)).status, "completed");
      assert.deepEqual([end.status, end.budget?.calls?.limit, end.budget?.calls?.spent], ["completed", 2, 1]);
      assert.deepEqual([end.priority, end.labels["team"]], [3, "x"]);
    },
  );

  await t.step("a paused item of a Map gives its place under a concurrencyKey to the others", async () => {
    await client.put(
      "keyed",
      map(operation("core.sleep", "s", { ms: 300 }, { concurrencyKey: "one" }), {
        over: [1, 2, 3],
        key: "each",
      }),
    );
    const { id } = await client.start("keyed");
    await until("the first is at work", async () => (await client.statuses(id))["s[0]"] === "running");
    await client.post(`/api/runs/${id}/nodes/each%5B1%5D/pause`, {}, 200);
    await until("the third has ended", async () => (await client.statuses(id))["s[2]"] === "completed");
    assert.notEqual((await client.statuses(id))["s[1]"], "completed");
    assert.equal((await client.run(id)).status, "running");
    await client.post(`/api/runs/${id}/nodes/each%5B1%5D/resume`, {}, 200);
    assert.equal((await client.ended(id)).status, "completed");
  });

  await t.step(
    "an item that a limit keeps waiting is counted and can be aborted; who names another is told what to name",
    async () => {
      await client.put(
        "narrow",
        map(operation("core.sleep", "nap", { ms: 60_000 }), {
          over: [1, 2, 3],
          key: "each",
          maxConcurrency: 1,
        }),
      );
      const { id } = await client.start("narrow");
      const graph = await hub.api<{ nodes: { key: string; items?: number }[] }>("GET", `/api/runs/${id}/graph`);
      assert.equal(graph.body.nodes.find(({ key }) => key === "each")?.items, 3);
      const detail = async (key: string) =>
        (await client.post<{ detail: string }>(`/api/runs/${id}/nodes/${encodeURIComponent(key)}/abort`, {}, 404))
          .detail;
      await client.post(`/api/runs/${id}/nodes/${encodeURIComponent("nap[2]")}/abort`, {}, 200);
      assert.match(await detail("nap[3]"), /has not begun, or never will: act on the Map or Loop around it/);
      assert.match(await detail("nap"), /name one of its items, such as "nap\[0\]"/);
      assert.match(await detail("nop"), /did you mean "nap"\?/);
      await client.post(`/api/runs/${id}/nodes/each/abort`, {}, 200);
      assert.equal((await client.ended(id)).status, "failed");
    },
  );

  await t.step("who waits for a run that is replaced is told, and its key stands for it", async () => {
    await client.put("newest", operation("core.sleep", "s", { ms: 500 }), {
      flow: { concurrency: { limit: 1 }, onConflict: "replace" },
    });
    const path = "/api/workflows/newest/runs";
    await client.start("newest");
    const headers = { prefer: "wait=10", "idempotency-key": "k" };
    const waiting = hub.api<Run>("POST", path, { body: {}, headers });
    await until("it is in line", async () => {
      const list = await hub.api<{ items: Run[] }>("GET", "/api/runs?workflow=newest&status=queued");
      return list.body.items.length === 1;
    });
    const last = await client.start("newest");
    const { status, body } = await waiting;
    assert.deepEqual([status, body.status, body.error?.code], [200, "aborted", "REPLACED"]);
    const again = await hub.api<Run & { duplicate: boolean }>("POST", path, { body: {}, headers });
    assert.deepEqual([again.body.id, again.body.status], [body.id, "aborted"]);
    assert.equal((await client.ended(last.id)).status, "completed");
  });

  await t.step("a schedule's tick on a held workflow is queued, and runs when the hold goes", async () => {
    await client.put("ticked", operation("core.echo", "e", { value: 1 }));
    const hold = await client.post<{ id: string }>("/api/holds", { kind: "workflow", name: "ticked" }, 201);
    const schedule = await client.post<{ id: string }>("/api/schedules", {
      name: "ticked",
      workflow: "ticked",
      cron: "* * * * * *",
      overlap: "skip",
    }, 201);
    const id = await until("there is a run", async () => {
      const list = await hub.api<{ items: Run[] }>("GET", "/api/runs?workflow=ticked");
      return list.body.items[0]?.id;
    });
    assert.equal((await client.run(id)).status, "queued");
    await hub.api("POST", `/api/schedules/${schedule.id}/pause`);
    await hub.api("DELETE", `/api/holds/${hold.id}`);
    assert.equal((await client.ended(id)).status, "completed");
    assert.equal((await hub.api("DELETE", `/api/schedules/${schedule.id}`)).status, 204);
  });

  await t.step("an aborted run leaves the line", async () => {
    await client.put("queue", operation("core.sleep", "s", { ms: 60_000 }), { flow: { concurrency: { limit: 1 } } });
    const first = await client.start("queue");
    const [second, third] = [await client.start("queue"), await client.start("queue")];
    await client.post(`/api/runs/${second.id}/abort`, {}, 200);
    assert.equal((await client.ended(second.id)).status, "aborted");
    const line = async () =>
      (await hub.api<{ tickets: { runId: string }[] }>("GET", "/api/flow/workflow%3Aqueue")).body.tickets.map((one) =>
        one.runId
      );
    await until("it has left", async () => JSON.stringify(await line()) === JSON.stringify([first.id, third.id]));
    await client.post(`/api/runs/${first.id}/abort`, {}, 200);
    await until("the next is at work", async () => (await client.run(third.id)).status === "running");
    await client.post(`/api/runs/${third.id}/abort`, {}, 200);
    assert.equal((await client.ended(third.id)).status, "aborted");
    await until("the line is gone", async () => (await hub.api("GET", "/api/flow/workflow%3Aqueue")).status === 404);
  });

  await t.step("a fork outlives its parent, and can be forked, exported and imported with what it reused", async () => {
    await client.put(
      "old",
      container("sequential", [
        operation("core.echo", "a", { value: "kept" }),
        container("conditional", [operation("core.fail", "bad", { code: "BAD", message: "x" })], {
          when: "input.fail",
        }),
        operation("core.echo", "b", { value: { $ref: "nodes.a.value" } }),
      ]),
    );
    const parent = await client.ended((await client.start("old", { input: { fail: true } })).id);
    const fork = await client.ended((await client.post(`/api/runs/${parent.id}/fork`, { input: { fail: false } })).id);
    assert.equal(fork.status, "completed");
    const pruned = await prune(client, { olderThan: "0s", workflow: "old", status: ["failed"] });
    assert.deepEqual([pruned.state, pruned.runs], ["done", 1]);
    assert.equal((await hub.api("GET", `/api/runs/${parent.id}`)).status, 404);
    assert.equal((await client.run(fork.id)).lineage?.runId, parent.id);
    const second = await client.ended((await client.post(`/api/runs/${fork.id}/fork`, { from: "b" })).id);
    assert.deepEqual([second.status, second.output], ["completed", { value: "kept" }]);

    const text = await hub.api<object>("GET", `/api/runs/${fork.id}/export?tree=true`);
    assert.equal(text.status, 200);
    await prune(client, { olderThan: "0s", workflow: "old" });
    const imported = await hub.api("POST", "/api/runs/import", { body: text.body });
    assert.equal(imported.status, 201, JSON.stringify(imported.body));
    assert.ok((await client.events(fork.id)).some(({ type, key }) => type === "node.reused" && key === "a"));
    for (const kind of ["rerun", "fork"]) {
      const made = await client.ended((await client.post(`/api/runs/${fork.id}/${kind}`, { from: "b" })).id);
      assert.deepEqual([made.status, made.output], ["completed", { value: "kept" }], kind);
    }
  });

  await t.step("a run with early answers is exported and imported, and a fork of it asks again", async () => {
    await client.put(
      "early",
      container("sequential", [
        operation("core.echo", "a", { value: 1 }),
        signal("go"),
        signal("never"),
      ]),
    );
    const { id } = await client.start("early");
    await client.post(`/api/runs/${id}/signals/never`, { n: 1 });
    await until("it waits", async () => (await client.statuses(id))["go"] === "waiting");
    const fork = await client.post(`/api/runs/${id}/fork`);
    await until("the fork waits", async () => (await client.statuses(fork.id))["go"] === "waiting");
    await client.post(`/api/runs/${fork.id}/signals/go`);
    await until("for the second too", async () => (await client.statuses(fork.id))["never"] === "waiting");
    await client.post(`/api/runs/${fork.id}/abort`, {}, 200);
    await client.post(`/api/runs/${id}/abort`, {}, 200);
    await client.ended(id);
    const text = await hub.api<object>("GET", `/api/runs/${id}/export`);
    await client.ended(fork.id);
    await prune(client, { olderThan: "0s", workflow: "early" });
    const imported = await hub.api("POST", "/api/runs/import", { body: text.body });
    assert.equal(imported.status, 201, JSON.stringify(imported.body));
    assert.ok((await client.events(id)).some(({ type }) => type === "signal.buffered"));
  });

  await t.step("what is run again from where it failed is no dead letter any more", async () => {
    await client.put("dead", operation("core.fail", "bad", { code: "DEAD", message: "x" }));
    const first = await client.ended((await client.start("dead")).id);
    const letters = async () =>
      (await hub.api<{ items: { runId: string }[] }>("GET", "/api/dead-letters?workflow=dead")).body.items.map((one) =>
        one.runId
      );
    await until("it is listed", async () => (await letters()).includes(first.id));
    const second = await client.ended((await client.post(`/api/runs/${first.id}/rerun`, { fromFailed: true })).id);
    await until("the newer is, alone", async () => JSON.stringify(await letters()) === JSON.stringify([second.id]));
  });

  await t.step("a run is pruned when its webhook has told of it, not before", async () => {
    const url = `http://127.0.0.1:${receiver.addr.port}/`;
    const made = await client.post<{ webhook: { id: string } }>("/api/webhooks", {
      kind: "outbound",
      name: "ended",
      url,
      events: ["run.completed"],
    }, 201);
    await client.put("told", operation("core.echo", "a", { value: 1 }));
    const run = await client.ended((await client.start("told")).id);
    const deliveries = `/api/webhooks/${made.webhook.id}/deliveries`;
    const [delivery] = await until("an attempt", async () => {
      const { items } = (await hub.api<{ items: { id: string; attempts: number }[] }>("GET", deliveries)).body;
      return items[0] !== undefined && items[0].attempts > 0 && items;
    });
    assert.equal((await prune(client, { olderThan: "0s", workflow: "told" })).runs, 0);
    isUp = true;
    await hub.api("POST", `${deliveries}/${delivery!.id}/redeliver`);
    await until("it is told", () => Promise.resolve(told.includes(run.id)));
    await until("it is pruned", async () => (await prune(client, { olderThan: "0s", workflow: "told" })).runs === 1);
    assert.equal((await hub.api("DELETE", `/api/webhooks/${made.webhook.id}`)).status, 204);
  });

  await t.step("a run stays on its version when its file changes, also in a fork and after a crash", async () => {
    const run = await client.start("from_file");
    await Deno.writeTextFile(file, FILE("new"));
    await until("the new version is served", async () => {
      const { body } = await hub.api<{ version: string }>("GET", "/api/workflows/from_file");
      return body.version !== (await client.run(run.id)).version;
    });
    const fork = await client.post(`/api/runs/${run.id}/fork`);
    await hub.kill("SIGKILL");
    await using again = await startHubProcess({ dataDir, env: { HUB_WORKFLOWS: `${dataDir}/workflows` }, keep: true });
    const other = new Client(again);
    const anew = await other.start("from_file");
    for (const { id } of [run, fork, anew]) await other.post(`/api/runs/${id}/signals/go`);
    const ends = await Promise.all([run, fork, anew].map(({ id }) => other.ended(id)));
    assert.deepEqual(ends.map(({ output }) => output), [{ value: "old" }, { value: "old" }, { value: "new" }]);
  });
});

async function prune(client: Client, filter: object): Promise<{ readonly state: string; readonly runs: number }> {
  const job = await client.post<{ id: string }>("/api/runs/prune", { filter, action: "delete" });
  return await until("the pruning is done", async () => {
    const { body } = await client.hub.api<{ state: string; runs: number }>("GET", `/api/runs/prune/${job.id}`);
    return (body.state === "done" || body.state === "failed") && body;
  });
}
