import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import type { Database } from "../../src/storage/database.ts";
import { openPostgres } from "../../src/storage/postgres_database.ts";
import { processCpuMs } from "../bench/measure.ts";
import { startCluster } from "./cluster.ts";
import { putTemplates, startLoad } from "./load.ts";

const SECONDS = 8;
/** So many that a commit is worth its while on each hub. */
const CLIENTS_A_HUB = 64;

/** Runs a second that one, two and three hubs end, over HTTP, on this machine's cores; gives the exit code. */
export async function throughput(say: (text: string) => void): Promise<number> {
  say(`${navigator.hardwareConcurrency} cores for hubs, database and clients together`);
  for (const hubs of [1, 2, 3]) {
    await using cluster = await startCluster({ hubs, spokes: 0 });
    if (cluster === null) return 2;
    await putTemplates(cluster.hubs[0]!, cluster.key, true);
    const load = startLoad({
      hubs: cluster.hubs,
      key: cluster.key,
      clients: CLIENTS_A_HUB * hubs,
      pauseMs: 0,
      localOnly: true,
    });
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const db = openPostgres({ url: cluster.postgres.url, max: 1 });
    const meters = async (): Promise<Meters> => ({
      ...await counted(db),
      atMs: Date.now(),
      hubsMs: sum(cluster.hubs.map((hub) => processCpuMs(hub.process?.pid ?? 0))),
      serverMs: sum((await serverPids(db)).map(processCpuMs)),
      clientsMs: sum(Object.values(process.cpuUsage())) / 1000,
    });
    const before = await meters();
    await new Promise((resolve) => setTimeout(resolve, SECONDS * 1_000));
    const after = await meters();
    await load.stop();
    await db.close();
    say(`${hubs} ${hubs === 1 ? "hub" : "hubs"}: ${summary(before, after)}`);
  }
  return 0;
}

interface Meters {
  readonly runs: number;
  readonly writes: number;
  readonly atMs: number;
  /** CPU time. */
  readonly hubsMs: number;
  readonly serverMs: number;
  readonly clientsMs: number;
}

async function counted(db: Database): Promise<{ readonly runs: number; readonly writes: number }> {
  const [row] = await db.query<{ runs: number; writes: number }>(
    `select (select count(*) from runs where status = 'completed')::float8 as runs,
       pg_snapshot_xmax(pg_current_snapshot())::text::float8 as writes`,
  );
  return row ?? { runs: 0, writes: 0 };
}

function summary(before: Meters, after: Meters): string {
  const runs = after.runs - before.runs;
  const elapsedMs = after.atMs - before.atMs;
  const each = (of: "hubsMs" | "serverMs" | "clientsMs"): string => ((after[of] - before[of]) / runs).toFixed(3);
  const cpuMs = after.hubsMs + after.serverMs + after.clientsMs - before.hubsMs - before.serverMs - before.clientsMs;
  return `${Math.round(1_000 * runs / elapsedMs)} runs of 3 steps a second; CPU a run: hubs ${each("hubsMs")}, ` +
    `PostgreSQL ${each("serverMs")}, clients ${each("clientsMs")} ms, ${
      (cpuMs / elapsedMs).toFixed(2)
    } cores in all; ` +
    `${((after.writes - before.writes) / runs).toFixed(2)} transactions a run`;
}

/** The server's own process and all its children. */
async function serverPids(db: Database): Promise<readonly number[]> {
  const [row] = await db.query<{ pid: number }>("select pg_backend_pid() as pid");
  const server = parentOf(row?.pid ?? 0);
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number);
  return [server, ...all.filter((pid) => parentOf(pid) === server)];
}

function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  } catch {
    return Number.NaN; // it has just ended
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + (Number.isFinite(value) ? value : 0), 0);
}
