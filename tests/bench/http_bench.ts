import { chainTemplate, echoInput, openBenchHub } from "./bench_hub.ts";
import { load, measure, median, processCpuMs, quantile } from "./measure.ts";
import type { Report } from "./report.ts";
import type { TestDatabase } from "../support/test_database.ts";

const RUNS = 4000;
const ROUNDS = 3;

/** `POST …/runs` with `Prefer: wait`, the load generator on the same cores. `dbosRate`: runs a second of DBOS in-process. */
export async function benchHttp(report: Report, database: TestDatabase, dbosRate: number | null): Promise<void> {
  report.section("Over HTTP, runs of 3 steps, hub in a process of its own");
  const hub = await openBenchHub({ databaseUrl: database.url });
  try {
    await hub.register("bench-seq3", chainTemplate("core.echo", 3, echoInput));
    const run = hub.runner("bench-seq3");
    await load(RUNS, 50, run);
    const rates: number[] = [];
    let [cpuMs, own, server] = [0, 0, 0];
    for (let round = 0; round < ROUNDS; round++) {
      const before = processCpuMs(hub.pid);
      const cost = await measure(database.db, async () => void await load(RUNS, 50, run));
      rates.push(RUNS / cost.seconds);
      cpuMs += (processCpuMs(hub.pid) - before) / RUNS / ROUNDS;
      own += cost.cpuMs / RUNS / ROUNDS;
      server += cost.serverCpuMs / RUNS / ROUNDS;
    }
    const rate = median(rates);
    report.add({
      name: "50 in flight",
      value: rate,
      unit: "runs/s",
      ...(dbosRate === null ? {} : {
        ratio: { of: "DBOS in-process", value: rate / dbosRate },
        goal: { atLeast: 10 },
      }),
    });
    report.add({ name: "CPU of the hub", value: cpuMs, unit: "ms/run" });
    report.add({ name: "CPU of PostgreSQL", value: server, unit: "ms/run" });
    report.add({ name: "CPU of the load generator", value: own, unit: "ms/run" });
    const alone = await load(500, 1, run);
    report.add({ name: "one at a time, p50", value: median(alone), unit: "ms", goal: { atMost: 2 } });
    report.add({ name: "one at a time, p99", value: quantile(alone, 0.99), unit: "ms" });
  } finally {
    await hub.close();
  }
}
