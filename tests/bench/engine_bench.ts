import type { Database } from "../../src/storage/database.ts";
import { BareWriter } from "./bare_writer.ts";
import { type BenchEngine, chain, fan, openBenchEngine } from "./bench_engine.ts";
import { type Cost, load, mean, measure, median, quantile } from "./measure.ts";
import type { Peer } from "./peers/peer.ts";
import { RESTATE_OVER_DBOS } from "./peers/restate.ts";
import { measureFloor } from "./floor.ts";
import type { Report } from "./report.ts";

const SEQ3 = chain(3);
const ROUNDS = 5;
const RUNS = 4000;
const PEER_RUNS = 500;
const FAN_STEPS = 102;

export interface EngineBench {
  readonly report: Report;
  readonly db: Database;
  readonly dbos: Peer | null;
  readonly restate: Peer | null;
}

/** The engine in this process, in turns with the bare writer and other engines; gives DBOS's runs of three steps a second. */
export async function benchEngine(bench: EngineBench): Promise<number | null> {
  const { report, db } = bench;
  report.section("Engine in this process, on PostgreSQL");
  const floor = await measureFloor(db, 2000);
  report.add({ name: "floor: commits on one connection", value: floor.commits, unit: "/s" });
  report.add({ name: "floor: rows in inserts of 100", value: floor.rows, unit: "rows/s" });
  const bare = await BareWriter.open(db);
  const engine = await openBenchEngine(db);
  try {
    const dbosRate = await seq3(bench, engine, bare);
    await alone(report, engine, bare);
    await fanOut(bench, engine);
    await chains(report, db, engine);
    return dbosRate;
  } finally {
    await bare.close();
    await engine.close();
  }
}

/** The writers take turns, so that what else the machine does hits all of them. */
async function seq3({ report, db, dbos }: EngineBench, engine: BenchEngine, bare: BareWriter): Promise<number | null> {
  await load(2000, 50, () => bare.run(3));
  await load(8000, 50, () => engine.run(SEQ3));
  const peerLoad = { workflow: "seq3", count: PEER_RUNS, atOnce: 50 } as const;
  await dbos?.load(peerLoad);
  const costs: { bare: Cost[]; engine: Cost[]; dbos: Cost[] } = { bare: [], engine: [], dbos: [] };
  for (let round = 0; round < ROUNDS; round++) {
    costs.bare.push(await measure(db, async () => void await load(RUNS, 50, () => bare.run(3))));
    costs.engine.push(await measure(db, async () => void await load(RUNS, 50, () => engine.run(SEQ3))));
    if (dbos !== null) costs.dbos.push(await measure(db, async () => void await dbos.load(peerLoad)));
  }
  const per = (list: readonly Cost[], runs: number, of: (cost: Cost) => number) => median(list.map(of)) / runs;
  const rate = RUNS / per(costs.engine, 1, (cost) => cost.seconds);
  const bareRate = RUNS / per(costs.bare, 1, (cost) => cost.seconds);
  const unit = "runs/s";
  report.add({ name: "bare writer, runs of 3 steps, 50 in flight", value: bareRate, unit });
  const half = { ratio: { of: "the bare writer", value: rate / bareRate }, goal: { atLeast: 0.5 } };
  report.add({ name: "engine, runs of 3 steps, 50 in flight", value: rate, unit, ...half });
  const writes = per(costs.engine, RUNS, (cost) => cost.writes);
  report.add({ name: "engine: write transactions", value: writes, unit: "/run", goal: { atMost: 0.5 } });
  const own = per(costs.engine, RUNS, (cost) => cost.cpuMs);
  const server = per(costs.engine, RUNS, (cost) => cost.serverCpuMs);
  const bareOwn = per(costs.bare, RUNS, (cost) => cost.cpuMs);
  const bareServer = per(costs.bare, RUNS, (cost) => cost.serverCpuMs);
  const of = (value: number) => `the bare writer: ${value.toFixed(3)}`;
  report.add({ name: "engine: CPU of this process", value: own, unit: "ms/run", note: of(bareOwn) });
  report.add({ name: "engine: CPU of PostgreSQL", value: server, unit: "ms/run", note: of(bareServer) });
  const wal = per(costs.engine, RUNS, (cost) => cost.wal);
  if (dbos === null) {
    report.add({
      name: "engine: WAL",
      value: wal,
      unit: "B/run",
      goal: { atMost: 3571 },
      note: "DBOS, recorded: 3,571",
    });
    return null;
  }
  const dbosRate = PEER_RUNS / per(costs.dbos, 1, (cost) => cost.seconds);
  report.add({ name: "DBOS, runs of 3 steps, 50 in flight", value: dbosRate, unit });
  report.add({
    name: "engine against DBOS",
    value: rate,
    unit,
    ratio: { of: "DBOS", value: rate / dbosRate },
    goal: { atLeast: 25 },
  });
  const dbosWal = per(costs.dbos, PEER_RUNS, (cost) => cost.wal);
  report.add({
    name: "engine: WAL",
    value: wal,
    unit: "B/run",
    ratio: { of: `DBOS's ${dbosWal.toFixed(0)}`, value: wal / dbosWal },
    goal: { atMost: 1 },
  });
  return dbosRate;
}

async function alone(report: Report, engine: BenchEngine, bare: BareWriter): Promise<void> {
  const bareMs = median(await load(300, 1, () => bare.run(3)));
  const times = await load(500, 1, () => engine.run(SEQ3));
  report.add({ name: "bare writer, one at a time, p50", value: bareMs, unit: "ms" });
  report.add({
    name: "engine, one at a time, p50",
    value: median(times),
    unit: "ms",
    goal: { atMost: 1.2 },
    note: `${(median(times) / bareMs).toFixed(2)} of the bare writer's; p99 ${quantile(times, 0.99).toFixed(1)} ms`,
  });
}

async function fanOut({ report, dbos, restate }: EngineBench, engine: BenchEngine): Promise<void> {
  const unit = "steps/s";
  const plan = fan(100);
  await load(30, 1, () => engine.run(plan));
  const mine: number[] = [];
  const theirs: { dbos: number[]; restate: number[] } = { dbos: [], restate: [] };
  const peerLoad = { workflow: "fan100", count: 5, atOnce: 1 } as const;
  for (let round = 0; round < 3; round++) {
    mine.push(...await load(20, 1, () => engine.run(plan)));
    if (dbos !== null) theirs.dbos.push(...(await dbos.load(peerLoad)).durations);
    if (restate !== null) theirs.restate.push(...(await restate.load({ ...peerLoad, count: 10 })).durations);
  }
  const rateOf = (durations: readonly number[]) => FAN_STEPS * 1000 / median(durations);
  const rate = rateOf(mine);
  report.add({ name: "engine, fan-out of 100", value: rate, unit });
  if (dbos !== null) {
    const ratio = { of: "DBOS", value: rate / rateOf(theirs.dbos) };
    report.add({ name: "DBOS, fan-out of 100", value: rateOf(theirs.dbos), unit });
    report.add({ name: "engine against DBOS, fan-out", value: rate, unit, ratio });
  }
  if (restate !== null) report.add({ name: "Restate, fan-out of 100", value: rateOf(theirs.restate), unit });
  else if (dbos === null) return report.note("Fan-out against Restate: not measured");
  const restateRate = restate !== null ? rateOf(theirs.restate) : RESTATE_OVER_DBOS * rateOf(theirs.dbos);
  const of = restate !== null ? "Restate" : `Restate as ${RESTATE_OVER_DBOS} of DBOS (recorded)`;
  report.add({
    name: "engine against Restate, fan-out",
    value: rate,
    unit,
    ratio: { of, value: rate / restateRate },
    goal: { atLeast: 10 },
  });
}

/** The floor is measured again on either side of each chain: what a commit takes drifts on a shared machine. */
async function chains(report: Report, db: Database, engine: BenchEngine): Promise<void> {
  const perStep = async (length: number, times: number) =>
    median(await load(times, 1, () => engine.run(chain(length)))) / length;
  const connection = await db.connect();
  const insert = "insert into bench_floor (run, k, payload) values ($1, 1, $1)";
  const commits = () => load(500, 1, () => connection.prepared("chain_floor", insert, ["x"]));
  await commits();
  await perStep(1000, 2);
  const shares: number[] = [];
  const rates: number[] = [];
  const growth: number[] = [];
  for (let round = 0; round < 9; round++) {
    const before = await commits();
    const at1000 = await perStep(1000, 1);
    // Means, as the chain's own figure is one: the rare slow flush counts on both sides.
    const floorMs = mean([...before, ...await commits()]);
    rates.push(1000 / at1000);
    shares.push(floorMs / at1000);
  }
  await connection.close();
  for (let round = 0; round < 3; round++) growth.push(await perStep(10_000, 1) / await perStep(100, 9));
  report.add({
    name: "engine, chain of 1,000",
    value: median(rates),
    unit: "steps/s",
    ratio: { of: "the commit floor", value: median(shares) },
    goal: { atLeast: 0.85 },
  });
  report.add({ name: "cost of a step at 10,000 against 100", value: median(growth), unit: "", goal: { atMost: 1.1 } });
}
