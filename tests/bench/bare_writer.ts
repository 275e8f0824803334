import type { Connection, Database } from "../../src/storage/database.ts";

type Row = readonly [run: string, seq: number, type: number, node: string, payload: string];

/**
 * The best that group commit can do with five rows a run of three steps, with the engine's waits and nothing else: no
 * scheduling, no fence, no run list. What the engine's throughput is compared with.
 */
export class BareWriter {
  readonly #connection: Connection;
  #rows: Row[] = [];
  #waiters: (() => void)[] = [];
  #busy = false;

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  static async open(db: Database): Promise<BareWriter> {
    await db.script(`create table bench_bare (run uuid, seq integer, type smallint, node text, payload text,
      at timestamptz default now(), primary key (run, seq))`);
    return new BareWriter(await db.connect());
  }

  /** A start, `steps` results each awaited, and an end. */
  async run(steps: number): Promise<void> {
    const id = crypto.randomUUID();
    await this.#append([id, 0, 0, "", '{"n":1}']);
    for (let i = 1; i <= steps; i++) await this.#append([id, i, 1, "s", '{"data":1}']);
    await this.#append([id, steps + 1, 2, "", "{}"]);
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #append(row: Row): Promise<void> {
    this.#rows.push(row);
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
      if (!this.#busy) {
        this.#busy = true;
        queueMicrotask(() => void this.#flush());
      }
    });
  }

  async #flush(): Promise<void> {
    while (this.#rows.length > 0) {
      const rows = this.#rows;
      const waiters = this.#waiters;
      this.#rows = [];
      this.#waiters = [];
      await this.#connection.prepared(
        "bare",
        `insert into bench_bare (run, seq, type, node, payload)
         select * from unnest($1::uuid[], $2::int[], $3::smallint[], $4::text[], $5::text[])`,
        [0, 1, 2, 3, 4].map((column) => rows.map((row) => row[column])),
      );
      for (const resolve of waiters) resolve();
      await Promise.resolve(); // what the waiters append rides the next flush
    }
    this.#busy = false;
  }
}
