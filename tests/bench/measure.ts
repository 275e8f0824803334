import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import type { Database } from "../../src/storage/database.ts";

/**
 * What a workload cost. `cpuMs` is this process's; `serverCpuMs` that of all PostgreSQL processes of this machine (NaN where
 * it cannot be read); `wal` bytes and `writes` transactions are the whole server's.
 */
export interface Cost {
  readonly seconds: number;
  readonly cpuMs: number;
  readonly serverCpuMs: number;
  readonly wal: number;
  readonly writes: number;
}

/** Runs `work` and reads the meters before and after. */
export async function measure(db: Database, work: () => Promise<void>): Promise<Cost> {
  const before = await meters(db);
  const serverCpu = postgresCpuMs();
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  const used = process.cpuUsage(cpu);
  const serverCpuMs = postgresCpuMs() - serverCpu;
  const after = await meters(db);
  return {
    seconds,
    cpuMs: (used.user + used.system) / 1000,
    serverCpuMs,
    wal: after.wal - before.wal,
    writes: after.writes - before.writes,
  };
}

async function meters(db: Database): Promise<{ readonly wal: number; readonly writes: number }> {
  const [row] = await db.query<{ wal: number; writes: number }>(
    `select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8 as wal,
       pg_snapshot_xmax(pg_current_snapshot())::text::float8 as writes`,
  );
  return row ?? { wal: 0, writes: 0 };
}

/** Linux counts CPU time in hundredths of a second for every reader. */
const TICK_MS = 10;

/** CPU ms of one process, threads and ended children included; NaN without /proc, or when it is gone. */
export function processCpuMs(pid: number | "self"): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return TICK_MS * [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0);
  } catch {
    return Number.NaN;
  }
}

/** CPU ms of all PostgreSQL processes of this machine. */
export function postgresCpuMs(): number {
  try {
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && commandOf(name) === "postgres");
    if (pids.length === 0) return Number.NaN;
    return pids.reduce((sum, pid) => sum + (processCpuMs(Number(pid)) || 0), 0);
  } catch {
    return Number.NaN;
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "";
  }
}

/** Resident memory of a process in bytes; NaN without /proc. */
export function residentBytes(pid: number): number {
  try {
    return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  } catch {
    return Number.NaN;
  }
}

/** Does `work` `count` times, `atOnce` at a time; gives each one's duration in ms. */
export async function load(count: number, atOnce: number, work: () => Promise<unknown>): Promise<readonly number[]> {
  const durations: number[] = [];
  let started = 0;
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, async () => {
    while (started++ < count) {
      const start = performance.now();
      await work();
      durations.push(performance.now() - start);
    }
  }));
  return durations;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The value that a share `part` of the values lies below. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

/** The machine's load average over the last minute: near or above the number of cores, figures mean little. */
export function loadAverage(): string {
  try {
    return readFileSync("/proc/loadavg", "utf8").split(" ")[0] ?? "?";
  } catch {
    return "?";
  }
}
