/**
 * `deno task bench [engine|http|spoke|crash|embedded …] [--json]`: what the database can do, what a bare group-commit writer
 * makes of it, and the engine as a share of both and of other engines, in one run. Ratios, because machines are shared.
 * `--memory` and `--lists` do the long ones instead.
 */
import process from "node:process";
import { postgresAvailable, testDatabase } from "../support/test_database.ts";
import { benchCrash } from "./crash_bench.ts";
import { benchEmbedded } from "./embedded_bench.ts";
import { benchEngine } from "./engine_bench.ts";
import { benchHttp } from "./http_bench.ts";
import { benchLists } from "./lists_bench.ts";
import { loadAverage } from "./measure.ts";
import { benchMemory } from "./memory_bench.ts";
import { openDbos } from "./peers/dbos.ts";
import { openRestate } from "./peers/restate.ts";
import { Report } from "./report.ts";
import { benchSpoke } from "./spoke_bench.ts";

const SECTIONS = ["engine", "http", "spoke", "crash", "embedded"];

const asked = process.argv.slice(2);
const unknown = asked.filter((word) => ![...SECTIONS, "--json", "--memory", "--lists"].includes(word));
if (unknown.length > 0) {
  console.error(`There is no "${unknown[0]}": want ${SECTIONS.join(", ")}, --memory, --lists or --json`);
  process.exit(2);
}
const report = new Report({ json: asked.includes("--json") });
const sections = SECTIONS.filter((name) => asked.includes(name));
const started = performance.now();
report.note(`Load average ${loadAverage()} on ${navigator.hardwareConcurrency} cores`);
if (asked.includes("--memory")) await benchMemory(report);
if (asked.includes("--lists")) await benchLists(report);
if (!asked.includes("--memory") && !asked.includes("--lists")) {
  await benchShort(sections.length === 0 ? SECTIONS : sections);
}
report.note(`${((performance.now() - started) / 1000).toFixed(0)} s; load average ${loadAverage()}`);
report.finish();
process.exit(0);

async function benchShort(wanted: readonly string[]): Promise<void> {
  let dbosRate: number | null = null;
  if (!await postgresAvailable()) report.note("PostgreSQL did not answer: only the embedded database is measured");
  else dbosRate = await onPostgres(wanted);
  if (wanted.includes("embedded")) await benchEmbedded(report, dbosRate);
}

async function onPostgres(wanted: readonly string[]): Promise<number | null> {
  const database = await testDatabase("postgres");
  const dbosDatabase = await testDatabase("postgres");
  let dbosRate: number | null = null;
  try {
    const dbos = await openDbos(report, dbosDatabase.url ?? "");
    if (wanted.includes("engine")) {
      const restate = await openRestate(report);
      dbosRate = await benchEngine({ report, db: database.db, dbos, restate });
      await restate?.close();
    } else if (dbos !== null) {
      const { seconds, durations } = await dbos.load({ workflow: "seq3", count: 1000, atOnce: 50 });
      dbosRate = durations.length / seconds;
    }
    await dbos?.close();
    if (wanted.includes("http")) await benchHttp(report, database, dbosRate);
    if (wanted.includes("spoke")) await benchSpoke(report, database);
    if (wanted.includes("crash")) await benchCrash(report, database);
  } finally {
    await dbosDatabase.drop();
    await database.drop();
  }
  return dbosRate;
}
