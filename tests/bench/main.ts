/**
 * `deno task bench [postgres|embedded]`: what the database can do, what a bare group-commit writer makes of it, and the engine
 * as a share of both, in one run. Ratios, because machines are shared; the absolute figures are for one look only.
 */
import process from "node:process";
import { databaseKinds, testDatabase } from "../support/test_database.ts";
import type { DatabaseKind } from "../support/test_database.ts";
import { BareWriter } from "./bare_writer.ts";
import { type BenchEngine, chain, fan, openBenchEngine } from "./bench_engine.ts";
import { measureFloor } from "./floor.ts";
import { load, loadAverage, measure, median } from "./measure.ts";
import type { Database } from "../../src/storage/database.ts";

const SEQ3 = chain(3);
const ROUNDS = 3;

const asked = process.argv.slice(2);
for (const kind of await databaseKinds()) {
  if (asked.length === 0 || asked.includes(kind)) await bench(kind);
}
if (asked.length === 0 && (await databaseKinds()).length === 1) {
  console.log("\nPostgreSQL did not answer: not measured");
}

async function bench(kind: DatabaseKind): Promise<void> {
  console.log(`\n${kind} (load average ${loadAverage()})`);
  const { db, drop } = await testDatabase(kind);
  const floor = await measureFloor(db, 2000);
  show("floor: one-connection commits/s", floor.commits);
  show("floor: rows/s in inserts of 100", floor.rows);
  const bare = await BareWriter.open(db);
  const engine = await openBenchEngine(db);
  try {
    await seq3(db, engine, bare);
    await alone(engine, bare);
    await steps(engine, floor.commits);
  } finally {
    await bare.close();
    await engine.close();
    await drop();
  }
}

/** The bare writer and the engine take turns, so that what else the machine does hits both. */
async function seq3(db: Database, engine: BenchEngine, bare: BareWriter): Promise<void> {
  const runs = 4000;
  await load(1000, 50, () => bare.run(3));
  await load(2000, 50, () => engine.run(SEQ3));
  const bareRates: number[] = [];
  const rates: number[] = [];
  let [cpuMs, wal, writes] = [0, 0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    bareRates.push(runs / (await measure(db, async () => void await load(runs, 50, () => bare.run(3)))).seconds);
    const cost = await measure(db, async () => void await load(runs, 50, () => engine.run(SEQ3)));
    rates.push(runs / cost.seconds);
    cpuMs += cost.cpuMs / ROUNDS / runs;
    wal += cost.wal / ROUNDS / runs;
    writes += cost.writes / ROUNDS / runs;
  }
  show("bare writer: runs of 3 steps/s, 50 in flight", median(bareRates));
  show(
    "engine: runs of 3 steps/s, 50 in flight",
    median(rates),
    share(median(rates), median(bareRates), "bare writer", 0.5),
  );
  show("engine: CPU ms a run (this process)", cpuMs);
  show("engine: WAL bytes a run", wal, "goal < 3,000");
  show("engine: write transactions a run", writes, "goal < 0.5");
}

async function alone(engine: BenchEngine, bare: BareWriter): Promise<void> {
  const bareMs = median(await load(300, 1, () => bare.run(3)));
  const ms = median(await load(300, 1, () => engine.run(SEQ3)));
  show("bare writer: one run alone, p50 ms", bareMs);
  show(
    "engine: one run alone, p50 ms",
    ms,
    `${(ms / bareMs).toFixed(2)} of the bare writer's; goal 1.2 ms at 0.19 ms a commit`,
  );
}

async function steps(engine: BenchEngine, commits: number): Promise<void> {
  const fan100 = fan(100);
  await engine.run(fan100);
  const fanRate = 102 / (median(await load(30, 1, () => engine.run(fan100))) / 1000);
  show("engine: fan-out of 100, steps/s", fanRate, `${(fanRate / commits).toFixed(1)} steps a commit of the floor`);
  const perStep = async (length: number, times: number) =>
    median(await load(times, 1, () => engine.run(chain(length)))) / length;
  await perStep(100, 2);
  const at100 = await perStep(100, 7);
  const at1000 = await perStep(1000, 3);
  const at10000 = await perStep(10_000, 1);
  show("engine: chain of 1,000, steps/s", 1000 / at1000, share(1000 / at1000, commits, "commit floor", 0.85));
  show("engine: chain of 1,000, cost of a step against 100", at1000 / at100, "goal 1.0");
  show("engine: chain of 10,000, cost of a step against 100", at10000 / at100, "goal 1.0");
}

function share(value: number, of: number, what: string, goal: number): string {
  return `${(100 * value / of).toFixed(0)} % of the ${what}; goal ${100 * goal} %`;
}

function show(what: string, value: number, note: string = ""): void {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  const number = value.toLocaleString("en", { maximumFractionDigits: digits });
  console.log(`  ${what.padEnd(54)} ${number.padStart(9)}  ${note}`.trimEnd());
}
