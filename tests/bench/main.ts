/**
 * `deno task bench [engine|http|keys|spoke|spokes|watch|crash|proxy|embedded …] [--json]`: what the database can do, what a bare group-commit writer
 * makes of it, and the engine as a share of both and of other engines, in one run. Ratios, because machines are shared.
 * `--memory`, `--proxy-memory` and `--lists` (`--plans`) do the long ones instead.
 */
import process from "node:process";
import { postgresAvailable, type TestDatabase, testDatabase } from "../support/test_database.ts";
import { benchCrash } from "./crash_bench.ts";
import { benchEmbedded } from "./embedded_bench.ts";
import { benchEngine } from "./engine_bench.ts";
import { benchHttp } from "./http_bench.ts";
import { benchKeys } from "./keys_bench.ts";
import { benchLists } from "./lists_bench.ts";
import { loadAverage } from "./measure.ts";
import { benchMemory } from "./memory_bench.ts";
import { openDbos } from "./peers/dbos.ts";
import { openRestate } from "./peers/restate.ts";
import { benchProxyMemory } from "./proxy_memory_bench.ts";
import { benchProxy } from "./proxy_bench.ts";
import { Report } from "./report.ts";
import { benchSpoke, benchSpokes } from "./spoke_bench.ts";
import { benchWatch } from "./watch_bench.ts";

const SECTIONS = ["engine", "http", "keys", "spoke", "spokes", "watch", "crash", "proxy", "embedded"];

/** Those whose figures are shares of DBOS's. */
const BESIDE_DBOS = ["engine", "http", "embedded"];

const asked = process.argv.slice(2);
const unknown = asked.filter((word) =>
  ![...SECTIONS, "--json", "--memory", "--proxy-memory", "--lists", "--plans"].includes(word)
);
if (unknown.length > 0) {
  console.error(
    `There is no "${unknown[0]}": want ${SECTIONS.join(", ")}, --memory, --proxy-memory, --lists or --json`,
  );
  process.exit(2);
}
const report = new Report({ json: asked.includes("--json") });
const sections = SECTIONS.filter((name) => asked.includes(name));
const started = performance.now();
report.note(`Load average ${loadAverage()} on ${navigator.hardwareConcurrency} cores`);
if (asked.includes("--memory")) await benchMemory(report, sizeOr(1_000_000));
if (asked.includes("--proxy-memory")) await benchProxyMemory(report, sizeOr(500_000));
if (asked.includes("--lists")) await benchLists(report, { rows: sizeOr(10_000_000), plans: asked.includes("--plans") });
if (!["--memory", "--proxy-memory", "--lists"].some((long) => asked.includes(long))) {
  await benchShort(sections.length === 0 ? SECTIONS : sections);
}
report.note(`${((performance.now() - started) / 1000).toFixed(0)} s; load average ${loadAverage()}`);
report.finish();
process.exit();

/** BENCH_SIZE makes the long ones short, for trying them out. */
function sizeOr(size: number): number {
  return Number(process.env["BENCH_SIZE"] ?? size);
}

async function benchShort(wanted: readonly string[]): Promise<void> {
  let dbosRate: number | null = null;
  if (await postgresAvailable()) {
    if (wanted.some((section) => BESIDE_DBOS.includes(section))) {
      await withDatabase("DBOS and the engine", async ({ url }) => {
        dbosRate = await besidePeers(wanted.includes("engine"), url);
      });
    }
    if (wanted.includes("http")) await withDatabase("HTTP", (database) => benchHttp(report, database, dbosRate));
    if (wanted.includes("keys")) await withDatabase("keys", (database) => benchKeys(report, database));
    if (wanted.includes("spoke")) await withDatabase("spokes", (database) => benchSpoke(report, database));
    if (wanted.some((section) => ["spoke", "spokes"].includes(section))) {
      await withDatabase("ten spokes", (database) => benchSpokes(report, database));
    }
    if (wanted.includes("watch")) await withDatabase("watchers", (database) => benchWatch(report, database));
    if (wanted.includes("crash")) await withDatabase("crash", (database) => benchCrash(report, database));
    if (wanted.includes("proxy")) await withDatabase("proxy", (database) => benchProxy(report, database));
  } else report.note("PostgreSQL did not answer: only the embedded database is measured");
  if (wanted.includes("embedded")) await benchEmbedded(report, dbosRate);
}

/** DBOS's runs a second on the database at `url`; with `engine` all of the engine's figures beside it. */
async function besidePeers(engine: boolean, url: string | null): Promise<number | null> {
  const dbos = await openDbos(report, url ?? "");
  let rate: number | null = null;
  if (engine) {
    const restate = await openRestate(report);
    await withDatabase("engine", async ({ db }) => {
      rate = await benchEngine({ report, db, dbos, restate });
    });
    await restate?.close();
  } else if (dbos !== null) {
    const { seconds, durations } = await dbos.load({ workflow: "seq3", count: 1000, atOnce: 50 });
    rate = durations.length / seconds;
  }
  await dbos?.close();
  return rate;
}

/** Work on a PostgreSQL database of its own; what fails is told, and the rest goes on. */
async function withDatabase(what: string, work: (database: TestDatabase) => Promise<void>): Promise<void> {
  const database = await testDatabase("postgres");
  try {
    await work(database);
  } catch (error) {
    process.exitCode = 1;
    report.note(`FAILED, ${what}: ${error instanceof Error ? error.stack : String(error)}`);
  } finally {
    await database.drop();
  }
}
