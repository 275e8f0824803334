/**
 * A database that an earlier version made, with runs in it that are not over, is brought to this version and its runs finish.
 * For every prefix of the migrations: whatever comes later is covered with it.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { CallError, localEnvelope } from "@alkdev/operations";
import { compile, type Json } from "@alkdev/flowgraph";
import { type DispatchedCall, Engine, type RunEvent } from "../../engine/mod.ts";
import { VirtualClock } from "../../engine/memory/mod.ts";
import {
  acquireLease,
  createEventLog,
  createPlanStore,
  createRunStore,
  createSpokeStore,
  type Database,
  listMigrations,
  migrate,
} from "../../src/storage/mod.ts";
import { createIds } from "../../src/system/ids.ts";
import { databaseKinds, emptyDatabase } from "../support/test_database.ts";

const CALLER = { identity: { id: "ada", scopes: [] }, orgId: "default" };
const START = 1_700_000_000_000;

/** One run in each state in which an upgrade may find it. */
const TEMPLATES: Readonly<Record<string, Element>> = {
  over: el("sequential", {}, op("a")),
  calling: el("sequential", {}, op("a"), op("b", "slow"), op("c", "step", { value: { $ref: "nodes.b.value" } })),
  paused: el("sequential", {}, op("a", "slow"), op("b")),
  mapping: el("map", { key: "m", over: [1, 2, 3], as: "n" }, op("a", "slow")),
  asking: el("sequential", {}, op("a"), el("signal", { key: "s", name: "go" }), op("b")),
  sleeping: el("sequential", {}, el("sleep", { key: "z", ms: 60_000 }), op("b")),
  retrying: op("a", "flaky", {}, { retry: { maxAttempts: 2, backoff: 60_000 } }),
};
const WAITS = 7; // 1 call, 1 of the paused run, 3 of the map, 1 signal and 1 timer

interface Element {
  readonly type: string;
  readonly props: Readonly<Record<string, unknown>>;
  readonly children: readonly Element[];
}

function el(type: string, props: Readonly<Record<string, unknown>>, ...children: readonly Element[]): Element {
  return { type, props, children };
}

function op(key: string, name: string = "step", input: unknown = { value: 1 }, more: object = {}): Element {
  return el("operation", { key, name: `t.${name}`, input, ...more });
}

interface Hub {
  readonly engine: Engine;
  readonly clock: VirtualClock;
  start(name: string): Promise<string>;
  read(runId: string): Promise<readonly RunEvent[]>;
  /** Takes up what the hub before it left; gives the run ids. */
  claim(): Promise<readonly string[]>;
  /** Resolves once what has been committed satisfies `condition`. */
  until(condition: (events: readonly RunEvent[]) => boolean): Promise<void>;
  /** As if killed: its lease is not given up. */
  close(): Promise<void>;
}

async function openHub(db: Database, params: { readonly now: number; readonly answers: boolean }): Promise<Hub> {
  const lease = await acquireLease(db, { hubId: "hub", ttlMs: 60_000 });
  const log = createEventLog(db, lease);
  const clock = new VirtualClock(params.now);
  const committed: RunEvent[] = [];
  let look = () => {};
  const dispatch = ({ operationId, attempt, input }: DispatchedCall) => {
    if (operationId === "t.slow" && !params.answers) return new Promise<never>(() => {});
    if (operationId === "t.flaky" && attempt === 1) return Promise.reject(new CallError("FLAKY", "Not yet"));
    return Promise.resolve(localEnvelope(input, operationId));
  };
  const engine = new Engine({
    log,
    plans: createPlanStore(db),
    functions: { functions: () => Promise.reject(new Error("No template here has functions")) },
    dispatcher: { dispatch },
    clock,
    ids: createIds(),
    random: () => 0.5,
    onCommitted: (events) => {
      committed.push(...events);
      look();
    },
  });
  return {
    engine,
    clock,
    async start(name) {
      const { plan, functions } = compile({ name, template: TEMPLATES[name] ?? op("none") }, {});
      const planHash = createHash("sha256").update(JSON.stringify(plan)).digest("hex");
      const run = { workflow: name, version: "v1", planHash, plan, functions, input: {}, caller: CALLER };
      return (await engine.start({ ...run, idempotencyKey: "once" })).runId;
    },
    read: (runId) => log.read({ runId }),
    async claim() {
      const claimed = await lease.claim(100);
      for (const runId of claimed) await engine.adopt(runId);
      return claimed;
    },
    until: (condition) =>
      new Promise((resolve) => {
        look = () => condition(committed) ? resolve() : undefined;
        look();
      }),
    async close() {
      await engine.stop(0);
      await log.close();
    },
  };
}

/** The database as the log of an earlier version wrote to it: through the function that was there. */
async function asBefore(db: Database): Promise<Database> {
  const [found] = await db.query<{ name: string }>(
    "select proname as name from pg_proc where proname like 'commit\\_events\\_v%' order by proname desc limit 1",
  );
  return {
    ...db,
    async connect() {
      const connection = await db.connect();
      return {
        ...connection,
        prepared: (name, text, values) =>
          connection.prepared(name, text.replace(/commit_events_v\d+/, found?.name ?? "none"), values),
      };
    },
  };
}

/** Runs of every kind, as far as they get; the process is gone afterwards. Gives ids and logs by template. */
async function liveRuns(
  db: Database,
): Promise<ReadonlyMap<string, { readonly runId: string; readonly events: readonly RunEvent[] }>> {
  const hub = await openHub(await asBefore(db), { now: START, answers: false });
  const ids = new Map<string, string>();
  for (const name of Object.keys(TEMPLATES)) ids.set(name, await hub.start(name));
  await hub.engine.setPaused(ids.get("paused") ?? "", true, "ada");
  const waits = new Set(["signal.awaited", "timer.set"]);
  await hub.until((events) => {
    const waiting = events.filter((it) =>
      waits.has(it.type) || it.type === "call.requested" && it.operationId === "t.slow"
    );
    const hasFailed = events.some((it) => it.type === "call.error" && it.retryAt !== null);
    return waiting.length === WAITS && hasFailed && events.some((it) => it.type === "run.completed");
  });
  const left = new Map<string, { readonly runId: string; readonly events: readonly RunEvent[] }>();
  for (const [name, runId] of ids) left.set(name, { runId, events: await hub.read(runId) });
  await hub.close();
  return left;
}

/** Moves time from timer to timer until all these have ended. */
async function allEnd(hub: Hub, ids: readonly string[]): Promise<void> {
  let ended = false;
  const all = Promise.all(ids.map((id) => hub.engine.done(id))).then(() => ended = true);
  while (!ended) {
    await new Promise<void>((resolve) => hub.clock.afterTurn(resolve));
    const due = hub.clock.nextDue();
    if (due !== null) hub.clock.advance(Math.max(0, due - hub.clock.now()));
  }
  await all;
}

async function upgrades(db: Database, from: number): Promise<void> {
  const migrations = await listMigrations();
  assert.equal((await migrate(db, migrations.slice(0, from))).length, from);
  const left = await liveRuns(db);
  await connectSpoke(db);

  assert.deepEqual(await migrate(db), migrations.slice(from).map(({ name }) => name));

  const hub = await openHub(db, { now: START + 1, answers: true });
  const live = [...left].filter(([name]) => name !== "over").map(([, { runId }]) => runId);
  assert.deepEqual([...await hub.claim()].sort(), live.toSorted());
  const paused = left.get("paused")?.runId ?? "";
  await hub.engine.setPaused(paused, false, "ada");
  const go = { name: "go", payload: { ok: true } satisfies Json, by: "ada" };
  assert.equal(await hub.engine.answer(left.get("asking")?.runId ?? "", go), "answered");
  await allEnd(hub, live);

  const store = createRunStore(db);
  for (const [name, { runId, events }] of left) {
    const log = await hub.read(runId);
    assert.deepEqual(log.slice(0, events.length), events, `${name}: what was logged before`);
    assert.equal(log.at(-1)?.type, "run.completed", name);
    assert.equal((await store.get({ orgId: "default", runId }))?.status, "completed", name);
    assert.equal(await hub.start(name), runId, `${name}: its idempotency key`);
  }
  await hub.close();
  const [spoke] = await createSpokeStore(db).load({ hubId: "hub" });
  assert.equal(spoke?.resumeTokenHash, createHash("sha256").update("the token").digest("hex"));
}

/** A connected spoke, as the version wrote it that had the token itself (up to 0002) or its hash. */
async function connectSpoke(db: Database): Promise<void> {
  const columns = await db.query<{ name: string }>(
    "select column_name as name from information_schema.columns where table_name = 'spokes' and column_name like 'resume%'",
  );
  const name = columns[0]?.name ?? "";
  const token = name === "resume_token" ? "the token" : createHash("sha256").update("the token").digest("hex");
  await db.query(
    `insert into spokes (id, org_id, hub_id, identity_id, name, spoke_type, max_concurrency, ${name}, connected_at)
     values ('s', 'default', 'hub', 'ada', 'spoke', 'compute', 1, $1, now())`,
    [token],
  );
}

const count = (await listMigrations()).length;
for (const kind of await databaseKinds()) {
  for (let from = 1; from < count; from++) {
    Deno.test(`${kind}: migrate() keeps the live runs of a database with the first ${from} migrations`, async () => {
      const { db, drop } = await emptyDatabase(kind);
      try {
        await upgrades(db, from);
      } finally {
        await drop();
      }
    });
  }
}
