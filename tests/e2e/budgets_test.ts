import assert from "node:assert/strict";
import { container, type HubProcess, operation, startHubProcess, until } from "./_hub_process.ts";

interface Run {
  readonly id: string;
  readonly status: string;
  readonly output: unknown;
  readonly error: { readonly code: string; readonly nodeKey: string | null; readonly details: Record<string, unknown> };
  readonly budget?: Record<string, { readonly limit: number; readonly spent: number; readonly reserved: number }>;
}

async function put(hub: HubProcess, name: string, template: unknown): Promise<void> {
  const { status, body } = await hub.api("PUT", `/api/workflows/${name}`, { body: { template } });
  assert.ok(status === 200 || status === 201, JSON.stringify(body));
}

async function run(hub: HubProcess, name: string, budget?: Record<string, number>, wait = 10): Promise<Run> {
  const { body } = await hub.api<Run>("POST", `/api/workflows/${name}/runs`, {
    body: budget === undefined ? {} : { budget },
    headers: wait === 0 ? {} : { prefer: `wait=${wait}` },
  });
  return body;
}

function steps(count: number): readonly unknown[] {
  return Array.from({ length: count }, (_, i) => operation("core.echo", `s${i}`, { value: i }));
}

Deno.test("a budget stops a run with all that descends from it, and says which and where", async (t) => {
  await using hub = await startHubProcess();
  await put(hub, "child", container("sequential", steps(3)));
  const child = (key: string, props = {}) => ({
    type: "workflow",
    props: { name: "child", key, ...props },
    children: [],
  });
  await put(hub, "parent", container("sequential", [child("a"), child("b")]));

  await t.step("calls of child runs are counted in the budget of the run above", async () => {
    // a, its three steps, b, and two of its steps.
    const ended = await run(hub, "parent", { calls: 7 });
    assert.equal(ended.status, "failed");
    assert.equal(ended.error.code, "BUDGET_EXCEEDED");
    assert.equal(ended.error.nodeKey, "b");
    const { which, budgetRunId, limit, spent, reserved, wanted, node } = ended.error.details;
    assert.deepEqual([which, budgetRunId, limit, wanted, node], ["calls", ended.id, 7, 1, "s2"]);
    // The child's own call is still under way when its last step does not fit.
    assert.deepEqual([spent, reserved], [6, 1]);
    assert.deepEqual(ended.budget, { calls: { limit: 7, spent: 7, reserved: 0 } });
    const listed = await hub.api<{ items: Record<string, unknown>[] }>("GET", "/api/budgets?kind=run");
    assert.deepEqual(listed.body.items.map(({ id }) => id), [ended.id]);
    const usage = await hub.api<{ items: Record<string, unknown>[] }>("GET", "/api/usage?by=operation");
    assert.deepEqual(
      usage.body.items.map(({ group, calls }) => [group, calls]),
      [["core.echo", 5], ["workflow.child", 2]],
    );
  });

  await t.step("a template's own budget holds, for the run and for a child", async () => {
    await put(hub, "tight", container("sequential", steps(3), { budget: { calls: 2 } }));
    const own = await run(hub, "tight", { calls: 100 });
    assert.deepEqual([own.status, own.error.details.limit, own.error.nodeKey], ["failed", 2, "s2"]);
    await put(hub, "tight_child", container("sequential", [child("a", { budget: { calls: 1 } })]));
    const below = await run(hub, "tight_child");
    assert.equal(below.error.code, "BUDGET_EXCEEDED");
    assert.notEqual(below.error.details.budgetRunId, below.id);
  });

  await t.step("a template may go on without what did not fit", async () => {
    const instead = operation("core.echo", "z", { value: "without" });
    const covered = { type: "conditional", props: { when: 'status.a == "failed"' }, children: [instead] };
    await put(hub, "covered", container("sequential", [child("a", { budget: { calls: 1 } }), covered]));
    const ended = await run(hub, "covered");
    assert.deepEqual([ended.status, ended.output], ["completed", { value: "without" }]);
  });

  await t.step("time and depth are limited", async () => {
    await put(hub, "slow", operation("core.sleep", "zzz", { ms: 60_000 }));
    await put(
      hub,
      "above",
      container("sequential", [{ type: "workflow", props: { name: "slow", key: "c" }, children: [] }]),
    );
    const late = await run(hub, "above", { wallMs: 300 });
    assert.deepEqual([late.status, late.error.code, late.error.details.which], ["failed", "BUDGET_EXCEEDED", "wallMs"]);
    assert.deepEqual(late.budget?.wallMs, { limit: 300, spent: 300, reserved: 0 });
    const runs = await hub.api<{ items: Run[] }>("GET", `/api/runs?parent=${late.id}`);
    await until("the child has ended as well", async () => {
      const { body } = await hub.api<Run>("GET", `/api/runs/${runs.body.items[0]!.id}`);
      return body.status === "failed" || body.status === "aborted";
    });
    const deep = await run(hub, "above", { depth: 0 });
    assert.deepEqual([deep.error.code, deep.error.details.which], ["BUDGET_EXCEEDED", "depth"]);
  });

  await t.step("a wrong budget is refused, and a run without one has none", async () => {
    const { status, body } = await hub.api("POST", "/api/workflows/child/runs", { body: { budget: { money: 1 } } });
    assert.deepEqual([status, body.code], [400, "VALIDATION_ERROR"]);
    const free = await run(hub, "child");
    assert.equal(free.status, "completed");
    assert.equal(free.budget ?? null, null);
    assert.equal((await hub.api("GET", `/api/budgets/run/${free.id}`)).status, 404);
    const org = await hub.api("PUT", "/api/budgets/org/default", { body: { costMicros: 5 } });
    assert.deepEqual([org.status, org.body.limits], [200, { calls: null, tokens: null, costMicros: 5 }]);
  });
});

Deno.test("a budget is exact after kill -9: what was reserved is found, and counted once", async () => {
  const first = await startHubProcess({ keep: true });
  let id: string;
  try {
    await put(
      first,
      "nap",
      container("sequential", [
        operation("core.echo", "a", { value: 1 }),
        container("parallel", [operation("core.sleep", "b", { ms: 700 }), operation("core.sleep", "c", { ms: 700 })]),
        operation("core.echo", "d", { value: 1 }),
        operation("core.echo", "e", { value: 1 }),
      ]),
    );
    id = (await run(first, "nap", { calls: 4 }, 0)).id;
    await until("both calls are reserved", async () => {
      const { body } = await first.api<Run>("GET", `/api/runs/${id}`);
      return body.budget?.calls?.spent === 1 && body.budget.calls.reserved === 2;
    });
  } finally {
    await first.kill("SIGKILL");
  }
  await using second = await startHubProcess({ dataDir: first.dataDir });
  const ended = await until("the run has ended", async () => {
    const { body } = await second.api<Run>("GET", `/api/runs/${id}`);
    return body.status === "failed" ? body : null;
  });
  assert.deepEqual([ended.error.code, ended.error.nodeKey], ["BUDGET_EXCEEDED", "e"]);
  assert.deepEqual(ended.budget, { calls: { limit: 4, spent: 4, reserved: 0 } });
  const { body: { items } } = await second.api<{ items: { status: string; nodeKey: string }[] }>(
    "GET",
    `/api/runs/${id}/calls`,
  );
  assert.equal(items.filter(({ status }) => status === "completed").length, 4);
});

Deno.test("a budget is exact when its hub is killed and another takes its runs up", async () => {
  const { testDatabase, postgresAvailable } = await import("../support/test_database.ts");
  if (!await postgresAvailable()) return console.log("PostgreSQL does not answer: not run");
  await using shared = await (async () => {
    const made = await testDatabase("postgres");
    return { url: made.url!, db: made.db, [Symbol.asyncDispose]: () => made.drop() };
  })();
  const env = { HUB_DATABASE_URL: shared.url };
  await using first = await startHubProcess({ env });
  await put(first, "two", container("sequential", [operation("core.sleep", "a", { ms: 400 }), ...steps(1)]));
  const two = { type: "workflow", props: { name: "two", key: "c" }, children: [] };
  await put(first, "many", container("map", [two], { over: Array.from({ length: 12 }, (_, i) => i), as: "item" }));
  // Twelve child runs are 36 calls: the last ones do not fit.
  const { id } = await run(first, "many", { calls: 30 }, 0);
  await until("half of it is reserved", async () => {
    const { body } = await first.api<Run>("GET", `/api/runs/${id}`);
    return (body.budget?.calls?.reserved ?? 0) >= 20;
  });
  await first.kill("SIGKILL");
  const dataDir = await Deno.makeTempDir({ prefix: "hub-e2e-" });
  await Deno.writeTextFile(`${dataDir}/admin.key`, first.key);
  await using second = await startHubProcess({ env, dataDir });
  const ended = await until("the run has ended on the other hub", async () => {
    const { body } = await second.api<Run>("GET", `/api/runs/${id}`);
    return body.status === "failed" && body.budget?.calls?.reserved === 0 ? body : null;
  });
  assert.equal(ended.error.code, "BUDGET_EXCEEDED");
  assert.deepEqual(ended.budget, { calls: { limit: 30, spent: 30, reserved: 0 } });
  const [charged] = await shared.db.query<{ n: number; settled: number }>(
    "select count(*)::int as n, (count(*) filter (where state = 'settled'))::int as settled from budget_charges",
  );
  assert.deepEqual(charged, { n: 30, settled: 30 });
  // What the log says was called is what was charged: six calls had no room, and each is a failure there.
  const [called] = await shared.db.query<{ ok: number; refused: number }>(
    `select (count(*) filter (where type = 'call.responded'))::int as ok,
       (count(*) filter (where type = 'call.error' and body like '%"node":"s0"%' and body like '%"which":"calls"%'
         and body not like '%"runId"%'))::int as refused from run_events`,
  );
  assert.deepEqual(called, { ok: 24, refused: 6 });
});
