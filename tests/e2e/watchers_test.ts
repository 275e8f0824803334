/** Two thousand watchers of one run over real sockets: the log is read a few times, all see everything, a slow one waits alone. */
import assert from "node:assert/strict";
import { postgresAvailable, testDatabase } from "../support/test_database.ts";
import { container, type HubProcess, operation, startHubProcess, until } from "./_hub_process.ts";

const WATCHERS = 2_000;
const STEPS = 10;
/** Connections opened at a time. */
const BATCH = 100;
const LARGE = "x".repeat(100_000);
const LARGE_STEPS = 100;

Deno.test("2,000 watchers of one run cost a few reads of its log, and one that does not read holds up nobody", async (t) => {
  if (!await postgresAvailable()) return console.log("PostgreSQL is not there: not run");
  const database = await testDatabase("postgres");
  try {
    const hub = await startHubProcess({ env: { HUB_DATABASE_URL: database.url! } });
    try {
      await hub.api("PUT", "/api/workflows/watched", { body: { template: waiting(STEPS) } });
      await hub.api("PUT", "/api/workflows/large", { body: { template: waiting(LARGE_STEPS) } });
      await t.step("each of 2,000 is told every event once, in order", () => everybodySees(hub));
      await t.step("nobody waits for those that do not read, and they get all of it later", () => slowOnes(hub));
    } finally {
      // Sessions tell what they have read when they end.
      await hub.kill("SIGTERM");
      await hub[Symbol.asyncDispose]();
    }
    await t.step("the log was read a few times", async () => {
      const reads = await until("the server has counted", async () => {
        const [row] = await database.db.query<{ reads: number }>(
          "select (idx_scan + seq_scan)::float8 as reads from pg_stat_user_tables where relname = 'run_events'",
        );
        return (row?.reads ?? 0) > 0 && row!.reads;
      });
      console.log(`${reads} reads of the log for ${WATCHERS} watchers of one run, and 9 of a large one`);
      assert.ok(reads < WATCHERS / 20, `${reads} reads`);
    });
  } finally {
    await database.drop();
  }
});

async function everybodySees(hub: HubProcess): Promise<void> {
  const id = await start(hub, "watched", {});
  const watchers: Watcher[] = [];
  try {
    while (watchers.length < WATCHERS) {
      watchers.push(...await Promise.all(Array.from({ length: BATCH }, () => Watcher.open(hub, id))));
    }
    const all = watchers.map((watcher) => watcher.readAll());
    await hub.api("POST", `/api/runs/${id}/signals/go`, { body: {} });
    const [first, ...others] = await Promise.all(all);
    const { body } = await hub.api<{ items: { seq: number }[] }>("GET", `/api/runs/${id}/events?limit=1000`);
    assert.deepEqual(first, body.items.map(({ seq }) => seq));
    for (const seqs of others) assert.deepEqual(seqs, first);
  } finally {
    for (const watcher of watchers) watcher.close();
  }
}

async function slowOnes(hub: HubProcess): Promise<void> {
  const id = await start(hub, "large", { value: LARGE });
  const slow = await Promise.all(Array.from({ length: 4 }, () => Watcher.open(hub, id)));
  const quick = await Promise.all(Array.from({ length: 5 }, () => Watcher.open(hub, id)));
  try {
    const all = quick.map((watcher) => watcher.readAll());
    await hub.api("POST", `/api/runs/${id}/signals/go`, { body: {} });
    const seen = await Promise.all(all);
    const run = await hub.api("GET", `/api/runs/${id}`);
    assert.equal(run.body.status, "completed");
    for (const seqs of seen) assert.deepEqual(seqs, seen[0]);
    // More than a socket's buffers hold: these have been waiting in the hub, by their seq alone.
    assert.ok(quick[0]!.bytes > LARGE_STEPS * LARGE.length, `${quick[0]!.bytes} bytes`);
    for (const watcher of slow) assert.deepEqual(await watcher.readAll(), seen[0]);
  } finally {
    for (const watcher of [...slow, ...quick]) watcher.close();
  }
}

/** Waits for a signal, then echoes its input's value so often. */
function waiting(steps: number): unknown {
  const echo = (at: number) => operation("core.echo", `s${at}`, { value: { $ref: "input" } });
  const signal = { type: "signal", props: { key: "go", name: "go" }, children: [] };
  return container("sequential", [signal, ...Array.from({ length: steps }, (_, at) => echo(at))]);
}

async function start(hub: HubProcess, workflow: string, input: unknown): Promise<string> {
  const { status, body } = await hub.api<{ id: string }>("POST", `/api/workflows/${workflow}/runs`, {
    body: { input },
  });
  assert.equal(status, 202, JSON.stringify(body));
  return body.id;
}

/** An event stream over a connection of its own. */
class Watcher {
  readonly #connection: Deno.TcpConn;
  bytes = 0;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  static async open({ url, key }: HubProcess, runId: string): Promise<Watcher> {
    const { hostname, port } = new URL(url);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const head = `GET /api/runs/${runId}/events HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${key}\r\n` +
      "Accept: text/event-stream\r\n\r\n";
    await connection.write(new TextEncoder().encode(head));
    return new Watcher(connection);
  }

  /** The seqs of all events until the stream has ended. */
  async readAll(): Promise<readonly number[]> {
    const seqs: number[] = [];
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(64 * 1024);
    let rest = "";
    for (;;) {
      const count = await this.#connection.read(buffer);
      assert.ok(count !== null, "The stream broke off");
      this.bytes += count;
      const lines = (rest + decoder.decode(buffer.subarray(0, count), { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const seq = /^id: ?(\d+)/.exec(line)?.[1];
        if (seq !== undefined) seqs.push(Number(seq));
      }
      // The last chunk of the answer.
      if (lines.includes("0\r")) return seqs;
    }
  }

  close(): void {
    this.#connection.close();
  }
}
