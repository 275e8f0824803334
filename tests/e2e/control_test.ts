/** Acting on runs and nodes over HTTP, against a real hub process that is killed in between. */
import assert from "node:assert/strict";
import { container, type HubProcess, operation, startHubProcess, until } from "./_hub_process.ts";

const approval = (key: string, props: Record<string, unknown> = {}) => ({
  type: "approval",
  props: { key, question: "Go on?", ...props },
  children: [],
});

async function put(hub: HubProcess, name: string, template: unknown): Promise<void> {
  const answer = await hub.api("PUT", `/api/workflows/${name}`, { body: { template } });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
}

async function start(hub: HubProcess, name: string, wait = false): Promise<string> {
  const headers: Record<string, string> = wait ? { prefer: "wait=10" } : {};
  const { status, body } = await hub.api("POST", `/api/workflows/${name}/runs`, { body: { input: {} }, headers });
  assert.ok(status === 200 || status === 202, JSON.stringify(body));
  return String(body.id);
}

async function statuses(hub: HubProcess, runId: string): Promise<Record<string, string>> {
  const { body } = await hub.api<{ nodes: { key: string; status: string }[] }>("GET", `/api/runs/${runId}/graph`);
  return Object.fromEntries(body.nodes.map(({ key, status }) => [key, status]));
}

const LONG = { maxAttempts: 5, backoff: { kind: "fixed", initialMs: 3_600_000, maxMs: 3_600_000 } };

Deno.test("what is asked of nodes, and answers that come early, outlive kill -9", async () => {
  await using first = await startHubProcess({ keep: true });
  await put(
    first,
    "w",
    container("parallel", [
      container("sequential", [
        operation("core.echo", "a", { value: 1 }),
        operation("core.sleep", "slow", { ms: 60_000 }),
        approval("ok"),
      ]),
      container("sequential", [
        operation("core.sleep", "short", { ms: 3_000 }),
        operation("core.echo", "held", { value: 2 }),
      ]),
      {
        type: "operation",
        props: { name: "core.fail", key: "flaky", input: { code: "FLAKY", message: "x" }, retry: LONG },
        children: [],
      },
    ]),
  );
  const run = await start(first, "w");
  await until("it is so", async () => (await statuses(first, run)).flaky === "waiting");
  const act = (hub: HubProcess, key: string, verb: string) => hub.api("POST", `/api/runs/${run}/nodes/${key}/${verb}`);
  assert.equal((await act(first, "held", "pause")).status, 200);
  assert.equal((await act(first, "flaky", "give-up")).status, 200);
  assert.equal((await first.api("POST", `/api/runs/${run}/signals/ok`, { body: { yes: true } })).status, 202);
  assert.equal((await first.api("POST", `/api/runs/${run}/signals/ok`, { body: 1 })).status, 409);
  assert.equal((await first.api("POST", `/api/runs/${run}/signals/none`, { body: 1 })).status, 404);
  await first.kill("SIGKILL");
  await using hub = await startHubProcess({ dataDir: first.dataDir });
  await until("it is so", async () => (await statuses(hub, run)).short === "completed");
  assert.deepEqual(await statuses(hub, run), {
    ...{ a: "completed", slow: "running", ok: "idle", short: "completed", held: "ready", flaky: "failed" },
  });
  assert.equal((await act(hub, "slow", "abort")).status, 200);
  assert.equal((await act(hub, "slow", "abort")).body.code, "NODE_ENDED");
  assert.equal((await act(hub, "held", "retry")).body.code, "NODE_NOT_WAITING");
  assert.equal((await act(hub, "nothing", "abort")).body.code, "NODE_NOT_FOUND");
  assert.equal((await act(hub, "held", "resume")).status, 200);
  await until("it is so", async () => (await hub.api("GET", `/api/runs/${run}`)).body.status === "failed");
  assert.deepEqual(await statuses(hub, run), {
    ...{ a: "completed", slow: "aborted", ok: "aborted", short: "completed", held: "completed", flaky: "failed" },
  });
});

Deno.test("dead letters are listed, counted, run again and discarded, and approvals listed and answered", async () => {
  await using hub = await startHubProcess();
  const fail = {
    type: "operation",
    props: { name: "core.fail", key: "f", input: { code: "BOOM", message: "no" } },
    children: [],
  };
  await put(hub, "bad", container("sequential", [operation("core.echo", "a", { value: 1 }), fail]));
  const runs = await Promise.all(Array.from({ length: 5 }, () => start(hub, "bad", true)));
  type Letters = { items: Record<string, unknown>[]; nextCursor: string | null };
  const letters = async (query = "") => (await hub.api<Letters>("GET", `/api/dead-letters${query}`)).body;
  const page = await letters("?limit=3");
  assert.equal(page.items.length, 3);
  const rest = await letters(`?limit=3&cursor=${page.nextCursor}`);
  assert.deepEqual([...page.items, ...rest.items].map(({ runId }) => runId).sort(), [...runs].sort());
  const { runId: _, at: __, ...letter } = page.items[0]!;
  assert.deepEqual(letter, {
    ...{
      workflow: "bad",
      labels: {},
      nodeKey: "f",
      operationId: "core.fail",
      code: "BOOM",
      message: "no",
      attempts: 1,
    },
  });
  for (const by of ["code", "operation", "workflow"]) {
    const [only] = (await letters(`?group=${by}`)).items;
    assert.deepEqual([only?.value, only?.count], [{ code: "BOOM", operation: "core.fail", workflow: "bad" }[by], 5]);
  }
  assert.deepEqual((await letters("?operation=core.echo")).items, []);
  const act = async (path: string, body: unknown) => (await hub.api<ActBody>("POST", path, { body })).body;
  const rerun = await act("/api/dead-letters/act", { action: "rerun", ids: [runs[0], "nothing"], fromFailed: true });
  assert.deepEqual(rerun.items.map(({ done }) => done), [true, false]);
  await until("it is so", async () => (await letters()).items.some(({ runId }) => runId === rerun.items[0]?.newRunId));
  const gone = await act("/api/dead-letters/act", { action: "discard", filter: { code: "BOOM" }, limit: 4 });
  assert.deepEqual([gone.items.length, gone.more], [4, true]);
  assert.equal((await letters()).items.length, 1);
  assert.equal((await hub.api("POST", "/api/dead-letters/act", { body: { action: "discard" } })).status, 400);

  await put(hub, "ask", approval("ok", { answerers: ["lead"], schema: { type: "object", required: ["yes"] } }));
  const asking = await start(hub, "ask");
  type Open = { items: { runId: string; key: string; mayAnswer: boolean; answerers: string[] }[] };
  const open = async () => (await hub.api<Open>("GET", "/api/approvals")).body.items;
  await until("it is so", async () => (await open()).length === 1);
  assert.deepEqual((await open()).map(({ runId, key, answerers }) => [runId, key, answerers]), [[asking, "ok", [
    "lead",
  ]]]);
  const bad = await hub.api("POST", `/api/runs/${asking}/signals/ok`, { body: { no: 1 } });
  assert.equal(bad.body.code, "VALIDATION_ERROR");
  const key = await hub.api("POST", "/api/keys", { body: { name: "clerk", scopes: ["run:write", "run:read"] } });
  const denied = await hub.api("POST", `/api/runs/${asking}/signals/ok`, {
    body: { yes: 1 },
    key: String(key.body.key),
  });
  assert.equal(denied.body.code, "ACCESS_DENIED", JSON.stringify(denied.body));
  assert.equal((await hub.api("POST", `/api/runs/${asking}/signals/ok`, { body: { yes: 1 } })).status, 202);
  assert.deepEqual(await open(), []);

  const many = await Promise.all(Array.from({ length: 3 }, () => start(hub, "ask")));
  for (const [action, status] of [["pause", "paused"], ["resume", "running"], ["abort", "aborted"]]) {
    const acted = await act("/api/runs/act", { action, filter: { workflow: "ask" } });
    assert.deepEqual(acted.items.map(({ done }) => done), [true, true, true]);
    for (const id of many) assert.equal((await hub.api("GET", `/api/runs/${id}`)).body.status, status);
  }
});

interface ActBody {
  readonly items: readonly { readonly runId: string; readonly done: boolean; readonly newRunId?: string }[];
  readonly more: boolean;
}
