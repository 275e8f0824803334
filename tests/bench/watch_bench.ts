import type { TestDatabase } from "../support/test_database.ts";
import { type BenchHub, chainTemplate, openBenchHub } from "./bench_hub.ts";
import { requestBytes } from "./http_client.ts";
import { processCpuMs, quantile, residentBytes } from "./measure.ts";
import type { Report } from "./report.ts";

const WATCHERS = 2000;
const STEPS = 20;

/** One run, watched over SSE by many; they connect together and see it end. */
export async function benchWatch(report: Report, database: TestDatabase): Promise<void> {
  report.section(`${WATCHERS} event streams of one run, hub in a process of its own`);
  const hub = await openBenchHub({ databaseUrl: database.url });
  try {
    await hub.register("bench-watch", {
      type: "sequential",
      props: {},
      children: [
        { type: "signal", props: { key: "go", name: "go" }, children: [] },
        chainTemplate("core.echo", STEPS, () => ({ value: 1 })),
      ],
    });
    const { id } = await hub.starter("bench-watch")();
    const memory = residentBytes(hub.pid);
    const started = performance.now();
    const watchers = await Promise.all(Array.from({ length: WATCHERS }, () => Watcher.open(hub, id)));
    await Promise.all(watchers.map((watcher) => watcher.until("event: signal.awaited")));
    report.add({ name: "all connected and shown what was there", value: performance.now() - started, unit: "ms" });
    const perWatcher = (residentBytes(hub.pid) - memory) / WATCHERS;
    report.add({ name: "memory of the hub, for each", value: perWatcher / 1024, unit: "KiB" });
    const cpu = processCpuMs(hub.pid);
    const sent = performance.now();
    const { status } = await hub.hub.api("POST", `/api/runs/${id}/signals/go`, { body: {} });
    if (status >= 300) throw new Error(`The signal was answered ${status}`);
    const ends = await Promise.all(watchers.map(async (watcher) => {
      await watcher.until("event: run.completed");
      return performance.now() - sent;
    }));
    const frames = WATCHERS * (3 + 2 * STEPS);
    report.add({ name: `${STEPS} steps seen by all, from the signal`, value: Math.max(...ends), unit: "ms" });
    report.add({ name: "the same, p50 of the watchers", value: quantile(ends, 0.5), unit: "ms" });
    report.add({ name: "CPU of the hub", value: 1000 * (processCpuMs(hub.pid) - cpu) / frames, unit: "µs/event" });
    for (const watcher of watchers) watcher.close();
  } finally {
    await hub.close();
  }
  const reads = await readsOf(database);
  report.add({ name: "reads of the log, all together", value: reads, unit: "", goal: { atMost: 10 } });
}

/** Scans of `run_events` so far, by sessions that have ended: the server counts those of others seconds later. */
async function readsOf({ db }: TestDatabase): Promise<number> {
  const [row] = await db.query<{ reads: number }>(
    "select (idx_scan + seq_scan)::float8 as reads from pg_stat_user_tables where relname = 'run_events'",
  );
  return row?.reads ?? Number.NaN;
}

class Watcher {
  readonly #connection: Deno.TcpConn;
  readonly #decoder = new TextDecoder();
  #text = "";

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  static async open({ hub }: BenchHub, runId: string): Promise<Watcher> {
    const { url, key } = hub;
    const { hostname, port } = new URL(url);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const headers = { accept: "text/event-stream" };
    await connection.write(requestBytes({ url, key, method: "GET", path: `/api/runs/${runId}/events`, headers }));
    return new Watcher(connection);
  }

  /** Reads on until the stream has said `text`. */
  async until(text: string): Promise<void> {
    const buffer = new Uint8Array(16 * 1024);
    while (!this.#text.includes(text)) {
      const read = await this.#connection.read(buffer);
      if (read === null) throw new Error(`The stream ended before ${text}: ${this.#text.slice(0, 300)}`);
      this.#text = this.#text.slice(-100) + this.#decoder.decode(buffer.subarray(0, read), { stream: true });
    }
  }

  close(): void {
    this.#connection.close();
  }
}
