/** Holds the Drizzle tables to the schema that the migrations make. */
import assert from "node:assert/strict";
import { is, type SQL } from "drizzle-orm";
import { getTableConfig, getViewConfig, PgColumn, PgDialect, PgTable, PgView } from "drizzle-orm/pg-core";
import { databaseKinds, testDatabase } from "../../tests/support/test_database.ts";
import type { Database } from "./database.ts";
import * as schema from "./schema/mod.ts";

const exported: readonly unknown[] = Object.values(schema);
const tables = exported.filter((it) => is(it, PgTable)).map((it) => getTableConfig(it));
const views = exported.filter((it) => is(it, PgView)).map((it) => getViewConfig(it));

interface Column {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly hasDefault: boolean;
  /** The texts that a check allows; empty: any. */
  readonly allowed: readonly string[];
}

interface Relation {
  readonly name: string;
  /** In order of the table. */
  readonly columns: readonly Column[];
  readonly primaryKey: readonly string[];
  /** Sorted. */
  readonly rest: readonly string[];
}

function described(table: (typeof tables)[number]): Relation {
  const columns = table.columns.map((column) => ({
    name: column.name,
    type: column.getSQLType(),
    notNull: column.notNull,
    hasDefault: column.hasDefault,
    allowed: (column.enumValues ?? []).toSorted(),
  }));
  const primary = table.primaryKeys[0]?.columns ?? table.columns.filter((column) => column.primary);
  const unique = table.uniqueConstraints.map(({ columns, nullsNotDistinct }) =>
    `unique${nullsNotDistinct ? " nulls not distinct" : ""} (${names(columns)})`
  );
  const uniqueColumns = table.columns.filter((column) => column.isUnique).map(({ name }) => `unique (${name})`);
  const foreign = table.foreignKeys.map((key) => {
    const { columns, foreignColumns, foreignTable } = key.reference();
    const target = `${getTableConfig(foreignTable).name}(${names(foreignColumns)})`;
    return `foreign key (${names(columns)}) references ${target} on delete ${key.onDelete}`;
  });
  const indexes = table.indexes.map(({ config: { name, method, columns, where } }) =>
    `index ${name} using ${method ?? "btree"} (${names(columns)})${where === undefined ? "" : ` where ${text(where)}`}`
  );
  const rest = [...unique, ...uniqueColumns, ...foreign, ...indexes].toSorted();
  return { name: table.name, columns, primaryKey: primary.map(({ name }) => name), rest };
}

function names(columns: readonly unknown[]): string {
  // An index is on columns or on expressions; there are no expressions.
  return columns.map((column) => column instanceof Object && "name" in column ? column.name : "?").join(", ");
}

function text(where: SQL): string {
  return new PgDialect().sqlToQuery(where).sql;
}

const COLUMNS = `
  select a.attname as name, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as "notNull", a.atthasdef as "hasDefault",
    coalesce((select array_agg(m[1] order by m[1] collate "C") from pg_constraint c,
      regexp_matches(pg_get_constraintdef(c.oid), '''([^'']+)''::text', 'g') m
      where c.conrelid = a.attrelid and c.contype = 'c' and c.conkey = array[a.attnum]), '{}') as allowed
  from pg_attribute a where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum`;
const CONSTRAINTS = `
  select contype as type, pg_get_constraintdef(oid) as definition from pg_constraint
  where conrelid = $1::regclass and contype in ('p', 'u', 'f')`;
const INDEXES = `
  select i.indexdef as definition from pg_indexes i where i.schemaname = 'public' and i.tablename = $1
    and not exists (select 1 from pg_constraint c where c.conname = i.indexname and c.conrelid = $1::regclass)`;

async function migrated(db: Database, name: string): Promise<Relation> {
  const columns = await db.query<Column>(COLUMNS, [name]);
  const constraints = await db.query<{ type: string; definition: string }>(CONSTRAINTS, [name]);
  const indexes = await db.query<{ definition: string }>(INDEXES, [name]);
  const primary = constraints.find(({ type }) => type === "p")?.definition ?? "";
  const rest = [
    ...constraints.filter(({ type }) => type !== "p").map(({ definition }) => keywords(definition)),
    ...indexes.map(({ definition }) =>
      keywords(definition).replace(/^create index (\S+) on \S+ /, "index $1 ").replace(/ where \((.*)\)$/, " where $1")
        .replace(/('\w+')::text$/, "$1")
    ),
  ].toSorted();
  return { name, columns, primaryKey: /\((.*)\)/.exec(primary)?.[1]?.split(", ") ?? [], rest };
}

/** PostgreSQL prints its keywords in capitals; no name here has any. */
function keywords(definition: string): string {
  return definition.toLowerCase();
}

for (const kind of await databaseKinds()) {
  Deno.test(`${kind}: the tables and views of schema/ are those of the migrations`, async (t) => {
    const { db, drop } = await testDatabase(kind);
    const found = await db.query<{ name: string; kind: string }>(
      `select table_name as name, table_type as kind from information_schema.tables where table_schema = 'public'`,
    );
    const named = (type: string) => found.filter((it) => it.kind === type).map((it) => it.name).toSorted();
    assert.deepEqual(tables.map(({ name }) => name).toSorted(), named("BASE TABLE"));
    assert.deepEqual(views.map(({ name }) => name).toSorted(), named("VIEW"));
    for (const table of tables) {
      await t.step(table.name, async () => assert.deepEqual(described(table), await migrated(db, table.name)));
    }
    for (const { name, selectedFields } of views) {
      await t.step(name, async () => {
        const columns = Object.values(selectedFields).filter((field) => is(field, PgColumn));
        const shape = columns.map((column) => ({ name: column.name, type: column.getSQLType() }));
        assert.deepEqual(shape, (await db.query<Column>(COLUMNS, [name])).map(({ name, type }) => ({ name, type })));
      });
    }
    await drop();
  });
}
