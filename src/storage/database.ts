import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";

/** Queries over the tables of `schema/`, typed by them. */
export type Orm = PgDatabase<PgQueryResultHKT>;

/** One connection's or one pool's worth of SQL. */
export interface Queryable {
  /** `values` fill `$1` …; rows come as the driver makes them. */
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}

/** A connection of its own, never lent to anyone else. */
export interface Connection {
  /** Runs `text`, prepared once under `name`. */
  prepared<Row extends object>(name: string, text: string, values: readonly unknown[]): Promise<readonly Row[]>;
  close(): Promise<void>;
}

/** PostgreSQL, on a server or embedded in this process: the same SQL works on both. */
export interface Database extends Queryable {
  readonly kind: "postgres" | "embedded";
  /** For everything that is not hot: docs/decisions/0005-drizzle-schema.md. */
  readonly orm: Orm;
  /** Runs `work` in a transaction on one connection; a throw rolls it back. */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
  /** Runs a script of several statements, without parameters. */
  script(text: string): Promise<void>;
  /** A dedicated connection where there can be several; the embedded database has one, which everyone shares. */
  connect(): Promise<Connection>;
  /** Idempotent. */
  close(): Promise<void>;
}
