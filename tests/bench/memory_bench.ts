import { postgresAvailable, type TestDatabase, testDatabase } from "../support/test_database.ts";
import { chainTemplate, echoInput, openBenchHub } from "./bench_hub.ts";
import { load, residentBytes } from "./measure.ts";
import type { Report } from "./report.ts";

const MIB = 2 ** 20;
/** Parts of the million after which memory is read. */
const PARTS = 10;

/** Long: a million short runs through one hub, 100,000 waiting runs of each kind, a plan of 100,000 nodes. */
export async function benchMemory(report: Report, millionRuns: number = 1_000_000): Promise<void> {
  report.section("Memory");
  if (!await postgresAvailable()) return report.note("PostgreSQL did not answer: not measured");
  await withDatabase(async ({ url }) => {
    const waiting = await runCase("waiting", url ?? "");
    for (const kind of ["signal", "sleep"]) {
      report.add({
        name: `100,000 runs at a ${kind}, heap of each`,
        value: waiting[kind] ?? Number.NaN,
        unit: "B",
        goal: { atMost: 2048 },
        note: `resident ${(waiting[`${kind}Resident`] ?? Number.NaN).toFixed(0)} B`,
      });
    }
  });
  await withDatabase(async ({ url }) => {
    const plan = await runCase("plan", url ?? "");
    report.add({ name: `plan of ${plan["nodes"]} nodes: compile`, value: plan["compileMs"] ?? Number.NaN, unit: "ms" });
    report.add({ name: "the same: run in 100 branches", value: plan["runSeconds"] ?? Number.NaN, unit: "s" });
  });
  await withDatabase((database) => million(report, database, millionRuns));
}

async function million(report: Report, database: TestDatabase, runs: number): Promise<void> {
  const hub = await openBenchHub({ databaseUrl: database.url });
  try {
    await hub.register("bench-seq3", chainTemplate("core.echo", 3, echoInput));
    const run = hub.runner("bench-seq3");
    const resident: number[] = [];
    const rates: number[] = [];
    for (let part = 0; part < PARTS; part++) {
      const start = performance.now();
      await load(runs / PARTS, 50, run);
      rates.push(runs / PARTS * 1000 / (performance.now() - start));
      resident.push(residentBytes(hub.pid) / MIB);
    }
    const [first = Number.NaN] = resident;
    const last = resident.at(-1) ?? Number.NaN;
    report.add({
      name: `resident after ${runs.toLocaleString("en")} runs over HTTP`,
      value: last,
      unit: "MiB",
      ratio: { of: "that after a tenth", value: last / first },
      goal: { atMost: 1.1 },
      note: `each tenth: ${resident.map((mib) => mib.toFixed(0)).join(", ")} MiB; ${
        rates.map((rate) => rate.toFixed(0)).join(", ")
      } runs/s`,
    });
  } finally {
    await hub.close();
  }
}

async function runCase(what: "waiting" | "plan", url: string): Promise<Readonly<Record<string, number>>> {
  const path = (relative: string) => new URL(relative, import.meta.url).pathname;
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      "--v8-flags=--expose-gc,--max-old-space-size=8192",
      "--config",
      path("../../deno.json"),
      path("./memory_case.ts"),
      what,
      url,
    ],
    stdin: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`The case "${what}" failed`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

async function withDatabase(work: (database: TestDatabase) => Promise<void>): Promise<void> {
  const database = await testDatabase("postgres");
  try {
    await work(database);
  } finally {
    await database.drop();
  }
}
