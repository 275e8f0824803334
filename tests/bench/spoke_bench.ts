import { until } from "../e2e/_hub_process.ts";
import type { TestDatabase } from "../support/test_database.ts";
import { type BenchHub, chainTemplate, echoInput, openBenchHub } from "./bench_hub.ts";
import { load, median, postgresCpuMs, processCpuMs, quantile } from "./measure.ts";
import type { Report } from "./report.ts";

const HOPS = 10;
const CALLS_PER_SECOND = 500;
const SECONDS = 8;
const ROUNDS = 5;
const RUNS_A_ROUND = 300;

/**
 * A durable hop to a spoke on loopback, in a process of its own: from the dispatch of a call to the dispatch of the next one,
 * which starts when the result is committed. Runs of ten hops arrive at random, 500 calls a second.
 */
export async function benchSpoke(report: Report, database: TestDatabase): Promise<void> {
  report.section(`A durable hop to a spoke on loopback, ${CALLS_PER_SECOND} calls/s`);
  const hub = await openBenchHub({ databaseUrl: database.url });
  const spoke = startSpoke(hub.hub);
  try {
    await until(
      "the spoke is there",
      async () => (await hub.hub.api("GET", "/api/operations/bench.echo")).status === 200,
    );
    await hub.register("bench-hops", chainTemplate("bench.echo", HOPS, echoInput));
    const run = hub.runner("bench-hops");
    await load(500, 10, run);
    const ids = await arrive(run);
    const runs = await Promise.all(ids.map((id) => dispatchTimes(hub, id)));
    // Times in the log are whole milliseconds: the median comes from the nine hops of a run together.
    const means = runs.map((times) => (times[HOPS - 1]! - times[0]!) / (HOPS - 1));
    const hops = runs.flatMap((times) => times.slice(1).map((time, i) => time - times[i]!));
    report.add({ name: "p50 (of the mean of nine hops)", value: median(means), unit: "ms", goal: { atMost: 2 } });
    report.add({ name: "p99 (single hops, whole ms)", value: quantile(hops, 0.99), unit: "ms", goal: { atMost: 10 } });
    const start = performance.now();
    await load(1000, 50, run);
    const rate = 1000 * HOPS / ((performance.now() - start) / 1000);
    report.add({ name: "calls to the spoke, 50 runs in flight", value: rate, unit: "calls/s" });
  } finally {
    spoke.kill("SIGKILL");
    await spoke.status;
    await hub.close();
  }
}

/** Calls to ten spokes as they come out of wide runs, each with its durable result; and what they cost whom. */
export async function benchSpokes(report: Report, database: TestDatabase): Promise<void> {
  report.section("Calls to ten spokes on loopback, fan-out of 100, 16 runs in flight");
  const hub = await openBenchHub({ databaseUrl: database.url });
  const spokes = startSpoke(hub.hub, 10);
  try {
    await until("ten spokes are there", async () => {
      const { body } = await hub.hub.api<{ readonly items: readonly unknown[] }>("GET", "/api/spokes");
      return body.items.length === 10;
    });
    await hub.register("bench-wide", wideTemplate("bench.echo", 100));
    const run = hub.runner("bench-wide");
    await load(300, 16, run);
    const before = [processCpuMs(hub.pid), processCpuMs(spokes.pid), postgresCpuMs()];
    const rates: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const start = performance.now();
      await load(RUNS_A_ROUND, 16, run);
      rates.push(RUNS_A_ROUND * 100 / ((performance.now() - start) / 1000));
    }
    const after = [processCpuMs(hub.pid), processCpuMs(spokes.pid), postgresCpuMs()];
    const calls = ROUNDS * RUNS_A_ROUND * 100;
    report.add({
      name: "calls with durable results",
      value: median(rates),
      unit: "calls/s",
      goal: { atLeast: 20_000 },
    });
    report.note(`  of ${ROUNDS} rounds: ${rates.map((rate) => rate.toFixed(0)).join(", ")} calls/s`);
    for (const [index, who] of ["hub", "all ten spokes", "PostgreSQL"].entries()) {
      const used = after[index]! - before[index]!;
      report.add({ name: `CPU a call, ${who}`, value: 1000 * used / calls, unit: "µs" });
    }
  } finally {
    spokes.kill("SIGKILL");
    await spokes.status;
    await hub.close();
  }
}

function wideTemplate(operationId: string, width: number): unknown {
  return {
    type: "parallel",
    props: {},
    children: Array.from({ length: width }, (_, value) => ({
      type: "operation",
      props: { name: operationId, key: `w${value}`, input: { value } },
      children: [],
    })),
  };
}

function startSpoke(hub: { readonly url: string; readonly key: string }, count: number = 1): Deno.ChildProcess {
  const config = new URL("../../deno.json", import.meta.url).pathname;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", config, new URL("./echo_spoke.ts", import.meta.url).pathname],
    env: { HUB_URL: hub.url, HUB_KEY: hub.key, SPOKES: String(count) },
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
}

/** Starts runs at exponentially distributed intervals; gives their ids. */
async function arrive(run: () => Promise<{ readonly id: string }>): Promise<readonly string[]> {
  const perSecond = CALLS_PER_SECOND / HOPS;
  const pending: Promise<{ readonly id: string }>[] = [];
  const start = performance.now();
  for (let due = 0; due < SECONDS * 1000;) {
    const wait = due - (performance.now() - start);
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    pending.push(run());
    due += -Math.log(1 - Math.random()) * 1000 / perSecond;
  }
  return (await Promise.all(pending)).map(({ id }) => id);
}

async function dispatchTimes(hub: BenchHub, id: string): Promise<readonly number[]> {
  const { nodes } = JSON.parse(await hub.get(`/api/runs/${id}/graph?data=false`)) as {
    readonly nodes: readonly { readonly startedAt: number | null }[];
  };
  return nodes.flatMap(({ startedAt }) => startedAt ?? []).toSorted((a, b) => a - b);
}
