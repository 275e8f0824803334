import { readFileSync } from "node:fs";
import process from "node:process";
import type { Database } from "../../src/storage/database.ts";

/** What a workload cost. `cpuMs` is this process's; `wal` bytes and `writes` transactions are the database's. */
export interface Cost {
  readonly seconds: number;
  readonly cpuMs: number;
  readonly wal: number;
  readonly writes: number;
}

/** Runs `work` and reads the meters before and after. */
export async function measure(db: Database, work: () => Promise<void>): Promise<Cost> {
  const before = await meters(db);
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  const used = process.cpuUsage(cpu);
  const after = await meters(db);
  return {
    seconds,
    cpuMs: (used.user + used.system) / 1000,
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
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The machine's load average over the last minute: above the number of cores, figures mean little. */
export function loadAverage(): string {
  try {
    return readFileSync("/proc/loadavg", "utf8").split(" ")[0] ?? "?";
  } catch {
    return "?";
  }
}
