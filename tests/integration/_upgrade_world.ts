/** Runs in every state in which an upgrade may find them, and the hub that drives them. */
import { createHash } from "node:crypto";
import { CallError, localEnvelope } from "@alkdev/operations";
import { compile } from "@alkdev/flowgraph";
import { type DispatchedCall, Engine, type RunEvent } from "../../engine/mod.ts";
import { VirtualClock } from "../../engine/memory/mod.ts";
import { acquireLease, createEventLog, createPlanStore, type Database } from "../../src/storage/mod.ts";
import { createIds } from "../../src/system/ids.ts";

const CALLER = { identity: { id: "ada", scopes: [] }, orgId: "default" };
export const START: number = 1_700_000_000_000;

/** One run in each state in which an upgrade may find it. */
export const TEMPLATES: Readonly<Record<string, Element>> = {
  over: el("sequential", {}, op("a")),
  calling: el("sequential", {}, op("a"), op("b", "slow"), op("c", "step", { value: { $ref: "nodes.b.value" } })),
  paused: el("sequential", {}, op("a", "slow"), op("b")),
  mapping: el("map", { key: "m", over: [1, 2, 3], as: "n" }, op("a", "slow")),
  asking: el("sequential", {}, op("a"), el("signal", { key: "s", name: "go" }), op("b")),
  sleeping: el("sequential", {}, el("sleep", { key: "z", ms: 60_000 }), op("b")),
  retrying: op("a", "flaky", {}, { retry: { maxAttempts: 2, backoff: 60_000 } }),
};
const WAITS = 7; // 1 call, 1 of the paused run, 3 of the map, 1 signal and 1 timer

export interface Element {
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

export interface Hub {
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

export async function openHub(
  db: Database,
  params: { readonly now: number; readonly answers: boolean; readonly smallBatches?: boolean },
): Promise<Hub> {
  const lease = await acquireLease(db, { hubId: "hub", ttlMs: 60_000 });
  const { smallBatches = true } = params;
  const log = createEventLog(db, lease, { smallBatches });
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
  const [{ moves } = { moves: true }] = await db.query<{ moves: boolean }>(
    "select count(*) > 0 as moves from information_schema.columns where table_name = 'runs' and column_name = 'first_version'",
  );
  return {
    ...db,
    // Before 0010 a run could not move to another version.
    query: (text, values) => db.query(moves ? text : text.replace(/coalesce\(r\.first_\w+, (r\.\w+)\)/g, "$1"), values),
    async connect() {
      const connection = await db.connect();
      return {
        ...connection,
        call: (statement) =>
          connection.call({
            ...statement,
            text: statement.text.replace(/commit_events_v\d+/, found?.name ?? "none"),
          }),
      };
    },
  };
}

/** A run that was left, and its log at that time: how many events, and their digest. */
export interface LeftRun {
  readonly runId: string;
  readonly events: number;
  readonly digest: string;
}

/** By the name of the template. */
export type LeftRuns = Readonly<Record<string, LeftRun>>;

/** What `record_upgrade.ts` keeps of a database. */
export interface Recording {
  readonly migrations: number;
  readonly left: LeftRuns;
  readonly tables: Readonly<Record<string, readonly unknown[]>>;
}

/** Runs of every kind, as far as they get; the process is gone afterwards. */
export async function liveRuns(db: Database): Promise<LeftRuns> {
  const hub = await openHub(await asBefore(db), { now: START, answers: false, smallBatches: false });
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
  const left: Record<string, LeftRun> = {};
  for (const [name, runId] of ids) {
    const events = await hub.read(runId);
    left[name] = { runId, events: events.length, digest: digest(events) };
  }
  await hub.close();
  return left;
}

/** Of every character of these events. */
export function digest(events: readonly RunEvent[]): string {
  return createHash("sha256").update(JSON.stringify(events)).digest("hex");
}

/** A connected spoke, as the version wrote it that had the token itself (up to 0002) or its hash. */
export async function connectSpoke(db: Database): Promise<void> {
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
