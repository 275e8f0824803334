import { openPostgres } from "../../src/storage/postgres_database.ts";
import type { Cluster, Hub } from "./cluster.ts";
import type { Acknowledged } from "./load.ts";

const SETTLE_MS = 120_000;
/** Nodes that spokes carry out, after their run's id. */
const ON_SPOKES = / (first|last|inner|item\[\d+\])$/;
const READ_ATTEMPTS = 50;
/** Runs read at once. */
const READERS = 8;
/** A line of a trace may be written while its outcome is already on its way: clocks are the same, milliseconds are not. */
const TOLERANCE_MS = 5;

export interface Findings {
  readonly violations: readonly string[];
  readonly runs: number;
  /** How long it took until the last run had ended, in ms. */
  readonly settledMs: number;
  readonly executions: number;
  /** Executions of a node and attempt beyond the first: allowed as long as no outcome was recorded before. */
  readonly repeated: number;
  readonly errors: ReadonlyMap<string, number>;
}

/** Waits until every run has ended and looks at what was recorded and what was done. */
export async function check(cluster: Cluster, acknowledged: readonly Acknowledged[]): Promise<Findings> {
  const db = openPostgres({ url: cluster.postgres.url, max: 4 });
  const violations: string[] = [];
  try {
    const since = Date.now();
    const live = async (): Promise<number> =>
      (await db.query<{ n: number }>("select count(*)::float8 as n from live_runs"))[0]?.n ?? 0;
    let left = await live();
    while (left > 0 && Date.now() - since < SETTLE_MS) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      left = await live();
    }
    const settledMs = Date.now() - since;
    if (left > 0) {
      const stuck = await db.query<{ run_id: string; owned: boolean }>(
        `select run_id, exists (select 1 from hubs h where h.id = l.hub_id and h.epoch = l.epoch
           and h.lease_until > clock_timestamp()) as owned from live_runs l limit 5`,
      );
      violations.push(`${left} runs have not ended after ${SETTLE_MS} ms: ${JSON.stringify(stuck)}`);
    }
    const open = await db.query<{ id: string }>(
      `select id from runs r where status in ('running', 'paused')
         and not exists (select 1 from live_runs l where l.run_id = r.id) limit 5`,
    );
    if (open.length > 0) violations.push(`Runs without an end and without an owner: ${JSON.stringify(open)}`);
    const twice = await db.query<{ run_id: string; node_key: string; n: number }>(
      `select run_id, node_key, coalesce((body::json ->> 'attempt')::integer, 1) as attempt, count(*)::float8 as n
       from run_events where type in ('call.responded', 'call.error', 'call.aborted')
       group by 1, 2, 3 having count(*) > 1 limit 5`,
    );
    if (twice.length > 0) violations.push(`Two outcomes of one attempt: ${JSON.stringify(twice)}`);
    violations.push(...await wrongOutputs(cluster, acknowledged));
    const completed = new Map(
      (await db.query<{ run_id: string; node_key: string; at: number }>(
        `select run_id, node_key, (extract(epoch from at) * 1000)::float8 as at from run_events
         where type = 'call.responded'`,
      )).map(({ run_id, node_key, at }) => [`${run_id} ${node_key}`, at]),
    );
    const executions = await readTraces(cluster);
    const seen = new Set<string>();
    let repeated = 0;
    const late: string[] = [];
    for (const { runId, key, attempt, at } of executions) {
      const id = `${runId} ${key} ${attempt}`;
      if (seen.has(id)) repeated++;
      seen.add(id);
      const completedAt = completed.get(`${runId} ${key}`);
      if (completedAt !== undefined && at > completedAt + TOLERANCE_MS) {
        late.push(`${runId} ${key} attempt ${attempt}: ${at - completedAt} ms after it was recorded as complete`);
      }
    }
    if (late.length > 0) {
      violations.push(`${late.length} nodes ran again after their outcome: ${late.slice(0, 5).join("; ")}`);
    }
    const done = new Set(executions.map(({ runId, key }) => `${runId} ${key}`));
    const invented = [...completed.keys()].filter((id) => ON_SPOKES.test(id) && !done.has(id));
    if (invented.length > 0) {
      violations.push(`${invented.length} outcomes without an execution: ${invented.slice(0, 5).join("; ")}`);
    }
    const errors = await db.query<{ code: string; n: number }>(
      `select body::json -> 'error' ->> 'code' as code, count(*)::float8 as n from run_events
       where type = 'call.error' group by 1`,
    );
    const [runs] = await db.query<{ n: number }>("select count(*)::float8 as n from runs");
    return {
      violations,
      runs: runs?.n ?? 0,
      settledMs,
      executions: executions.length,
      repeated,
      errors: new Map(errors.map(({ code, n }) => [code, n])),
    };
  } finally {
    await db.close();
  }
}

/** Reads every acknowledged run through a hub, which also refuses a log with a gap. */
async function wrongOutputs(cluster: Cluster, acknowledged: readonly Acknowledged[]): Promise<string[]> {
  const wrong: string[] = [];
  const left = [...acknowledged.entries()];
  const reader = async (): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const [i, { runId, output }] = next;
      const hub = cluster.hubs[i % cluster.hubs.length]!;
      const { status, text } = await readRun(hub, runId, cluster.key);
      if (status !== 200) {
        wrong.push(`Run ${runId} cannot be read: ${status} ${text.slice(0, 200)}`);
        continue;
      }
      const run = JSON.parse(text) as { readonly status: string; readonly output: unknown; readonly error: unknown };
      if (run.status !== "completed" || JSON.stringify(run.output) !== JSON.stringify(output)) {
        wrong.push(
          `Run ${runId} is ${run.status} with ${JSON.stringify(run.output)}, wanted ${JSON.stringify(output)}: ${
            JSON.stringify(run.error)
          }`,
        );
      }
    }
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  return wrong.length > 5 ? [`${wrong.length} acknowledged runs are wrong: ${wrong.slice(0, 5).join("; ")}`] : wrong;
}

/** A hub may still find out that it has been fenced, and start again. */
async function readRun(
  hub: Hub,
  runId: string,
  key: string,
): Promise<{ readonly status: number; readonly text: string }> {
  for (let attempt = 0;; attempt++) {
    await hub.ready();
    try {
      const response = await fetch(`${hub.url}/api/runs/${runId}`, { headers: { authorization: `Bearer ${key}` } });
      const text = await response.text();
      if (response.status < 500 || attempt === READ_ATTEMPTS) return { status: response.status, text };
    } catch (error) {
      if (attempt === READ_ATTEMPTS) return { status: 0, text: String(error) };
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

interface Execution {
  readonly runId: string;
  readonly key: string;
  readonly attempt: number;
  /** Start, ms since the epoch. */
  readonly at: number;
}

async function readTraces({ spokes }: Cluster): Promise<readonly Execution[]> {
  const found: Execution[] = [];
  for (const { trace } of spokes) {
    for (const line of (await Deno.readTextFile(trace).catch(() => "")).split("\n")) {
      const [runId, key, attempt, at] = line.split(" ");
      // The last line of a killed spoke may be a torn one.
      if (runId === undefined || key === undefined || !Number.isFinite(Number(at))) continue;
      found.push({ runId, key, attempt: Number(attempt), at: Number(at) });
    }
  }
  return found;
}
