import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";

/** Queries over the tables of `schema/`, typed by them. */
export type Orm = PgDatabase<PgQueryResultHKT>;

/** One connection's or one pool's worth of SQL. */
export interface Queryable {
  /** `values` fill `$1` …; rows come as the driver makes them. */
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}

/** A value as text; null: SQL's. */
export type Value = string | null;

/** A statement that answers one value. */
export interface Statement {
  /** What it is prepared under. */
  readonly name: string;
  readonly text: string;
  readonly values: readonly Value[];
}

/** A connection of its own, never lent to anyone else. */
export interface Connection {
  /** Runs `text`, prepared once under `name`. */
  prepared<Row extends object>(name: string, text: string, values: readonly unknown[]): Promise<readonly Row[]>;
  /** The hot form of it: gives the first column of the first row; null when that is null or there is no row. */
  call(statement: Statement): Promise<Value>;
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
