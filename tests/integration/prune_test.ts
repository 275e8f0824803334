/** Pruning beside a working engine: what it takes, what it leaves, what it costs, and what a crash in the middle leaves behind. */
import assert from "node:assert/strict";
import { compile } from "@alkdev/flowgraph";
import { Engine } from "../../engine/mod.ts";
import { applyPolicies, type Archive, createRetention, PruneWorker, type RunPruner } from "../../src/retention/mod.ts";
import {
  acquireLease,
  createEventLog,
  createPlanStore,
  createPruneJobs,
  createRunPruner,
  createRunStore,
  type Database,
  openPostgres,
} from "../../src/storage/mod.ts";
import { createSystemClock } from "../../src/system/clock.ts";
import { createIds } from "../../src/system/ids.ts";
import { contentHash } from "../../src/templates/mod.ts";
import { RunScript, wholeRun } from "../conformance/fixtures.ts";
import { databaseKinds, postgresAvailable, testDatabase } from "../support/test_database.ts";

const caller = { identity: { id: "u1", scopes: [] }, orgId: "default" };
const DAY = 86_400_000;
const { plan } = compile({
  name: "demo",
  template: { type: "operation", props: { name: "core.echo", key: "s0" }, children: [] },
});
const planHash = contentHash(JSON.stringify(plan));

interface Kept {
  readonly archive: Archive;
  /** Lines that are durable. */
  readonly lines: string[];
}

function memoryArchive(): Kept {
  const lines: string[] = [];
  const open = (name: string) =>
    Promise.resolve({
      name,
      append: (more: readonly string[]) => Promise.resolve(void lines.push(...more)),
      close: () => Promise.resolve(),
    });
  return { archive: { open }, lines };
}

async function openHub(db: Database, hubId: string) {
  const lease = await acquireLease(db, { hubId, ttlMs: 60_000 });
  const log = createEventLog(db, lease);
  const plans = createPlanStore(db);
  await plans.put(planHash, plan);
  return {
    hubId,
    log,
    plans,
    jobs: createPruneJobs(db),
    pruner: createRunPruner(db, { hubId }),
    kept: memoryArchive(),
  };
}

type Hub = Awaited<ReturnType<typeof openHub>>;

function workerOf(db: Database, hub: Hub, pruner: RunPruner = hub.pruner, isBusy = () => false): PruneWorker {
  const { jobs, log, plans, kept } = hub;
  return new PruneWorker({
    jobs,
    pruner,
    archive: kept.archive,
    exports: { log, plans, store: createRunStore(db) },
    clock: createSystemClock(),
    name: hub.hubId,
    isBusy,
    log: { info() {}, warn() {} },
  });
}

function retentionOf(db: Database, { jobs, pruner, log, plans }: Hub) {
  const exports = { log, plans, store: createRunStore(db) };
  const imports = { log, plans, forget: (ids: readonly string[]) => pruner.forget(ids), hashOf: contentHash };
  return createRetention({ exports, imports, jobs, pruner, wake() {} });
}

for (const kind of await databaseKinds()) {
  Deno.test(`${kind}: pruning takes whole trees with all that is theirs, and nothing of what lives`, async () => {
    const { db, drop } = await testDatabase(kind);
    const hub = await openHub(db, "h");
    try {
      const root = wholeRun(1, { planHash, idempotencyKey: "k", labels: { team: "a" } });
      const below = (runId: string) => ({ runId, requestId: crypto.randomUUID(), rootRunId: root.runId });
      const child = wholeRun(2, { planHash, parent: below(root.runId) });
      const grandchild = wholeRun(1, { planHash, parent: below(child.runId) });
      const parentOfLive = wholeRun(1, { planHash });
      const live = new RunScript().created({ planHash, parent: below(parentOfLive.runId) });
      const other = wholeRun(1, { planHash, caller: { ...caller, orgId: "other" } });
      await hub.log.commit([root, child, grandchild, parentOfLive, live, other].flatMap(({ events }) => events));
      await db.query("insert into budgets (org_id, kind, id, calls_limit) values ('default', 'run', $1, 5)", [
        root.runId,
      ]);
      const retention = retentionOf(db, hub);
      const filter = { endedBefore: Date.now() + DAY, status: ["completed"] } as const;
      assert.deepEqual(await retention.count({ caller, filter }), { trees: 1, examined: 5, isComplete: true });
      assert.equal((await retention.count({ caller, filter: { ...filter, label: "team=b" } })).trees, 0);
      assert.equal((await retention.count({ caller, filter: { ...filter, workflow: "x" } })).trees, 0);
      assert.equal((await retention.count({ caller, filter: { ...filter, status: ["failed"] } })).trees, 0);
      assert.equal((await retention.count({ caller, filter: { ...filter, endedBefore: 5 } })).trees, 0);
      const job = await retention.prune({ caller, filter: { ...filter, label: "team" }, action: "delete" });
      const worker = workerOf(db, hub);
      await worker.work();
      const done = await retention.job({ caller, id: job.id });
      assert.deepEqual([done.state, done.trees, done.runs], ["done", 1, 3]);
      await assert.rejects(retention.job({ caller: { ...caller, orgId: "other" }, id: job.id }), {
        code: "JOB_NOT_FOUND",
      });
      const count = async (sql: string) =>
        (await db.query<{ n: number }>(`select count(*)::int as n from ${sql}`))[0]!.n;
      assert.equal(await count("runs"), 3);
      assert.equal(await count("idempotency_keys"), 0);
      assert.equal(await count("budgets"), 0);
      assert.equal(await count("retention_garbage"), 0);
      const gone = [root, child, grandchild].map(({ runId }) => `'${runId}'`).join(",");
      assert.equal(await count(`run_events where run_id in (${gone})`), 0);
      assert.equal((await hub.log.read({ runId: live.runId })).length, 1);
      assert.notEqual(await hub.plans.get(planHash), null);
      await worker.stop();
    } finally {
      await hub.log.close();
      await drop();
    }
  });

  Deno.test(`${kind}: a crash between archive and deletion loses nothing, and another hub goes on`, async () => {
    const { db, drop } = await testDatabase(kind);
    const [first, second] = [await openHub(db, "first"), await openHub(db, "second")];
    try {
      const runs = Array.from(
        { length: 5 },
        () => new RunScript().created({ planHash }).call("s0").completed({ value: 1 }),
      );
      await first.log.commit(runs.flatMap(({ events }) => events));
      const filter = { endedBefore: Date.now() + DAY };
      const job = await retentionOf(db, first).prune({ caller, filter, action: "archive" });
      // As a killed process: the archive is written, nothing after it happens, not even the note that it failed.
      const killed = Promise.withResolvers<never>();
      const reached = Promise.withResolvers<void>();
      const dying = workerOf(db, first, {
        ...first.pruner,
        remove() {
          reached.resolve();
          return killed.promise;
        },
      });
      const dead = dying.work();
      await reached.promise;
      assert.equal(first.kept.lines.length, 5);
      const worker = workerOf(db, second);
      await worker.work();
      assert.equal(second.kept.lines.length, 0, "the first hub's lease still holds");
      await db.query("update retention_lease set lease_until = clock_timestamp() - interval '1 second'");
      await worker.work();
      const done = await retentionOf(db, second).job({ caller, id: job.id });
      assert.deepEqual([done.state, done.runs, done.files.length], ["done", 5, 1]);
      const archived = second.kept.lines.map((line) => JSON.parse(line));
      assert.deepEqual(archived.map(({ run }) => run.id).toSorted(), runs.map(({ runId }) => runId).toSorted());
      assert.deepEqual(await db.query("select 1 from runs"), []);
      for (const exported of archived) await retentionOf(db, second).import({ caller, exported });
      assert.equal((await db.query("select 1 from runs")).length, 5);
      killed.reject(new Error("The process is gone"));
      await dead;
      await worker.stop();
    } finally {
      await first.log.close();
      await second.log.close();
      await drop();
    }
  });
}

for (const kind of await databaseKinds()) {
  Deno.test(`${kind}: plans go when no run has them, and stay while a hub may still use them`, async () => {
    const { db, drop } = await testDatabase(kind);
    const hub = await openHub(db, "h");
    try {
      await hub.log.commit(wholeRun(1, { planHash: "used" }).events);
      let now = 0;
      const plans = createPlanStore(db, { now: () => now });
      for (const hash of ["used", "old", "again", "new", "moved"]) {
        await plans.put(hash, hash === "moved" ? { ...plan, workflow: "mover" } : plan);
      }
      await db.query("update plans set created_at = now() - interval '2 days' where hash <> 'new'");
      const mover = wholeRun(1, { planHash: "first", workflow: "mover" });
      await hub.log.commit(mover.events);
      await db.query("update runs set first_plan_hash = 'first' where id = $1", [mover.runId]);
      now = 3_600_000; // an hour later it says again that it is wanted
      await plans.put("again", plan);
      // "old", and the one that every hub of these tests puts: all were made old.
      assert.equal(await hub.pruner.sweepPlans(), 2);
      const rows = await db.query<{ hash: string }>("select hash from plans order by hash");
      assert.deepEqual(rows.map(({ hash }) => hash), ["again", "moved", "new", "used"]);
      assert.equal(await hub.pruner.sweepPlans(), 0, "at most once a day");
    } finally {
      await hub.log.close();
      await drop();
    }
  });

  Deno.test(`${kind}: applyPolicies() asks once an hour, whoever asks, for what is old enough`, async () => {
    const { db, drop } = await testDatabase(kind);
    const jobs = createPruneJobs(db);
    try {
      const now = Date.now();
      const policies = [
        { olderThanMs: DAY, action: "archive", status: ["completed"] },
        { olderThanMs: 5, action: "delete", workflow: "noise" },
      ] as const;
      await applyPolicies(jobs, policies, now);
      await applyPolicies(createPruneJobs(db), policies, now + 60_000);
      const rows = await db.query<{ filter: object; action: string; org_id: string | null }>(
        "select filter, action, org_id from retention_jobs order by action",
      );
      assert.deepEqual(rows.map(({ filter, action, org_id }) => ({ ...filter, action, org_id })), [
        { endedBefore: now - DAY, status: ["completed"], action: "archive", org_id: null },
        { endedBefore: now - 5, workflow: "noise", action: "delete", org_id: null },
      ]);
      await applyPolicies(jobs, policies, now + 3_700_000);
      assert.equal((await db.query("select 1 from retention_jobs")).length, 4);
    } finally {
      await drop();
    }
  });
}

const RUNS = 200_000;
/** How much slower starts may be while 200,000 runs are pruned. Alone on the machine it is about 1.2. */
const FACTOR = 4;

Deno.test({
  name: `pruning ${RUNS} runs leaves starts their latency`,
  ignore: !await postgresAvailable(),
  async fn() {
    const { db, url, drop } = await testDatabase("postgres");
    const hub = await openHub(db, "h");
    const pool = openPostgres({ url: url! });
    const engine = new Engine({
      log: hub.log,
      plans: hub.plans,
      functions: { functions: () => Promise.reject(new Error("none")) },
      dispatcher: {
        dispatch: () =>
          Promise.resolve(
            { data: 1, meta: { source: "local", operationId: "core.echo", timestamp: Date.now() } } as const,
          ),
      },
      clock: createSystemClock(),
      ids: createIds(),
      random: Math.random,
    });
    try {
      await fill(db, RUNS);
      await startLatency(engine, 200); // warm
      const alone = await startLatency(engine, 500);
      const worker = workerOf(pool, {
        ...hub,
        jobs: createPruneJobs(pool),
        pruner: createRunPruner(pool, { hubId: "h" }),
      });
      const retention = retentionOf(db, hub);
      const filter = { endedBefore: Date.now() - DAY };
      const job = await retention.prune({ caller, filter, action: "delete" });
      const working = worker.work();
      const beside = await startLatency(engine, 1500);
      const seen = await retention.job({ caller, id: job.id });
      assert.ok(seen.runs > 0 && seen.state === "running", `pruned ${seen.runs} runs, ${seen.state}`);
      const stopping = worker.stop();
      await stopping;
      await working;
      const left = await db.query<{ n: number }>(
        "select count(*)::int as n from runs where created_at < now() - interval '1 day'",
      );
      const { runs, examined } = await retention.job({ caller, id: job.id });
      assert.deepEqual([left[0]!.n, examined], [RUNS - runs, runs]);
      console.log(
        `starts: p50 ${alone.p50} ms alone, ${beside.p50} ms beside; p95 ${alone.p95} and ${beside.p95} ms; pruned ${runs}`,
      );
      assert.ok(beside.p50 < FACTOR * Math.max(1, alone.p50), `p50 ${beside.p50} ms beside, ${alone.p50} ms alone`);
    } finally {
      await engine.stop(0);
      await pool.close();
      await hub.log.close();
      await drop();
    }
  },
});

/** Old runs of one call each, made in the database. */
async function fill(db: Database, count: number): Promise<void> {
  await db.query(
    `with made as (
       insert into runs (id, created_at, completed_at, priority, status, org_id, workflow, version, plan_hash, labels)
       select gen_random_uuid(), at, at, 0, 'completed', 'default', 'demo', 'v1', $2, '{}'
       from generate_series(1, $1::int) n, lateral (select now() - interval '9 days' + n * interval '1 second' as at) t
       returning id, created_at
     )
     insert into run_events (run_id, request_id, at, seq, type, node_key, body)
     select id, case when seq = 2 then gen_random_uuid() end, created_at, seq + (seq / 2), type, key, body from made,
       (values (1, 'run.created', null, '{"input":{},"identity":{"id":"u1","scopes":[]}}'),
         (2, 'call.responded', 's0', '{"req":{"ms":0,"operationId":"core.echo","input":{}},"data":1,"meta":0}'),
         (3, 'run.completed', null, '{"output":1,"counts":{}}')) as e(seq, type, key, body)`,
    [count, planHash],
  );
  await db.query("analyze runs, run_events");
}

async function startLatency(engine: Engine, starts: number): Promise<{ readonly p50: number; readonly p95: number }> {
  const times: number[] = [];
  for (let i = 0; i < starts; i++) {
    const began = performance.now();
    await engine.start({ workflow: "demo", version: "v1", planHash, plan, functions: new Map(), input: {}, caller });
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => Math.round(times[Math.floor(share * times.length)]! * 100) / 100;
  return { p50: at(0.5), p95: at(0.95) };
}
