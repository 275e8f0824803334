import { drizzle } from "drizzle-orm/node-postgres";
import pg from "pg";
import type { Connection, Database, Queryable } from "./database.ts";
import { callPrepared } from "./prepared_call.ts";

/** A pool on `url`. Nothing is connected before the first query. `max` is the pool's size, commits not counted. */
export function openPostgres(params: { readonly url: string; readonly max?: number }): Database {
  const pool = new pg.Pool({ connectionString: params.url, max: params.max ?? 8 });
  // An idle connection that the server drops is replaced on the next query: not an error of ours.
  pool.on("error", () => {});
  let closed: Promise<void> | undefined;
  return {
    kind: "postgres",
    orm: drizzle({ client: pool }),
    query: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
      (await pool.query<Row>(text, [...values])).rows,
    transaction: (work) => transaction(pool, work),
    script: async (text) => void await pool.query(text),
    connect: () => Promise.resolve(dedicated(params.url)),
    close: () => closed ??= pool.end(),
  };
}

async function transaction<T>(pool: pg.Pool, work: (tx: Queryable) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query("begin");
    const result = await work({
      query: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
        (await client.query<Row>(text, [...values])).rows,
    });
    await client.query("commit");
    return result;
  } catch (error) {
    await client.query("rollback").catch((cause: Error) => broken = cause);
    throw error;
  } finally {
    client.release(broken);
  }
}

/** Connects on first use, and again after the connection was lost; the query that noticed the loss rejects. */
function dedicated(url: string): Connection {
  let current: { readonly client: pg.Client; readonly ready: Promise<unknown> } | undefined;
  const open = () => {
    const client = new pg.Client({ connectionString: url });
    const entry = { client, ready: client.connect() };
    const forget = () => {
      if (current === entry) current = undefined;
    };
    client.on("error", forget);
    client.on("end", forget);
    entry.ready.catch(forget);
    return current = entry;
  };
  return {
    prepared: async <Row extends object>(name: string, text: string, values: readonly unknown[]) => {
      const { client, ready } = current ?? open();
      await ready;
      return (await client.query<Row>({ name, text, values: [...values] })).rows;
    },
    call: async (statement) => {
      const { client, ready } = current ?? open();
      await ready;
      return await callPrepared(client, statement);
    },
    close: async () => {
      const last = current;
      current = undefined;
      if (last === undefined) return;
      await last.ready.then(() => last.client.end(), () => {});
    },
  };
}
