import type { Database } from "../../src/storage/database.ts";
import { load, measure } from "./measure.ts";

/** What the database can do without any engine. */
export interface Floor {
  /** Single-row inserts a second, each its own transaction, on one connection. */
  readonly commits: number;
  /** Rows a second in inserts of 100. */
  readonly rows: number;
  /** Median-free mean of one commit, ms. */
  readonly commitMs: number;
}

const PAYLOAD = JSON.stringify({ v: 1, s: "x".repeat(40) });

export async function measureFloor(db: Database, commits: number): Promise<Floor> {
  await db.script("create table bench_floor (id bigserial primary key, run text, k integer, payload text)");
  const connection = await db.connect();
  const insert = "insert into bench_floor (run, k, payload) select * from unnest($1::text[], $2::int[], $3::text[])";
  const send = (rows: number) => {
    const each = Array.from({ length: rows }, (_, k) => k);
    return connection.prepared("floor", insert, [each.map(() => "run"), each, each.map(() => PAYLOAD)]);
  };
  await load(100, 1, () => send(1));
  const single = await measure(db, async () => void await load(commits, 1, () => send(1)));
  const batches = Math.ceil(commits / 10);
  const many = await measure(db, async () => void await load(batches, 1, () => send(100)));
  await connection.close();
  return {
    commits: commits / single.seconds,
    rows: 100 * batches / many.seconds,
    commitMs: 1000 * single.seconds / commits,
  };
}
