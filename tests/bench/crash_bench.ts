import { until } from "../e2e/_hub_process.ts";
import type { TestDatabase } from "../support/test_database.ts";
import { chainTemplate, openBenchHub } from "./bench_hub.ts";
import { median } from "./measure.ts";
import type { Report } from "./report.ts";

const RUNS = 100;
const STEPS = 5;
const STEP_MS = 200;
/** Steps recorded when the hub is killed: in the middle of every run's third step. */
const KILL_AFTER = 220;
const ROUNDS = 3;

/** kill -9 of a hub with 100 runs in flight; how long after the start of its successor's process all are done. */
export async function benchCrash(report: Report, database: TestDatabase): Promise<void> {
  report.section(`kill -9 with ${RUNS} runs in flight, ${STEPS} steps of ${STEP_MS} ms, three of them left`);
  const dataDir = await Deno.makeTempDir({ prefix: "hub-bench-crash-" });
  const ready: number[] = [];
  const done: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const times = await crash(database, dataDir);
    ready.push(times.readyMs);
    done.push(times.doneMs);
  }
  await Deno.remove(dataDir, { recursive: true });
  report.add({ name: "process start until the hub is ready", value: median(ready), unit: "ms" });
  report.add({
    name: "process start until all runs are done",
    value: median(done),
    unit: "ms",
    goal: { atMost: 1200 },
    note: `${ROUNDS} times: ${done.map((ms) => ms.toFixed(0)).join(", ")}; elsewhere DBOS took 2,429, Restate 1,263`,
  });
}

interface Recovery {
  readonly readyMs: number;
  readonly doneMs: number;
}

async function crash({ db, url }: TestDatabase, dataDir: string): Promise<Recovery> {
  const open = () => openBenchHub({ databaseUrl: url, dataDir });
  const count = async (text: string, values: readonly unknown[]) =>
    (await db.query<{ count: number }>(text, values))[0]?.count ?? 0;
  const first = await open();
  await first.register("bench-crash", chainTemplate("core.sleep", STEPS, () => ({ ms: STEP_MS })));
  const start = first.starter("bench-crash");
  await start(); // compiled, and out of the way
  const ids = (await Promise.all(Array.from({ length: RUNS }, start))).map(({ id }) => id);
  const recorded = `select count(*)::int as count from run_events
    where run_id = any ($1::uuid[]) and type = 'call.responded'`;
  while (await count(recorded, [ids]) < KILL_AFTER) await new Promise((resolve) => setTimeout(resolve, 5));
  await first.hub.kill("SIGKILL");
  await first.close();
  const live = "select count(*)::int as count from live_runs where run_id = any ($1::uuid[])";
  const before = performance.now();
  const opening = open().then((hub) => ({ hub, readyMs: performance.now() - before }));
  await until("all runs are done", async () => await count(live, [ids]) === 0);
  const doneMs = performance.now() - before;
  const { hub, readyMs } = await opening;
  const results = await count(recorded, [ids]);
  if (results !== RUNS * STEPS) throw new Error(`${results} results were recorded: want ${RUNS * STEPS}`);
  await hub.close();
  return { readyMs, doneMs };
}
