import assert from "node:assert/strict";
import { databaseKinds, testDatabase } from "../../tests/support/test_database.ts";
import { listMigrations, migrate, splitStatements } from "./migrate.ts";
import { openPostgres } from "./postgres_database.ts";

for (const kind of await databaseKinds()) {
  Deno.test(`${kind}: migrate() applies once, in order, and refuses a changed or unknown migration`, async () => {
    const { db, drop } = await testDatabase(kind);
    const landed = await listMigrations();
    assert.deepEqual(await migrate(db), []);
    const more = [...landed, { name: "9998_a", sql: "create table a (x text);\n" }, {
      name: "9999_b",
      sql: "insert into a values ('b');\n",
    }];
    assert.deepEqual(await migrate(db, more), ["9998_a", "9999_b"]);
    await assert.rejects(migrate(db), /migration "9998_a", which this version does not know/);
    await assert.rejects(
      migrate(db, more.map((it) => ({ ...it, sql: `${it.sql}-- changed\n` }))),
      /has changed since it was applied/,
    );
    const broken = [...more, { name: "9999_c", sql: "insert into a values ('c');\nselect nonsense;\n" }];
    await assert.rejects(migrate(db, broken), /nonsense/);
    assert.deepEqual(await db.query("select x from a"), [{ x: "b" }]);
    await drop();
  });

  Deno.test(`${kind}: migrate() seeds the default organization, its admin and the removed operation`, async () => {
    const { db, drop } = await testDatabase(kind);
    assert.deepEqual(await db.query("select id, owner_id from organizations"), [{ id: "default", owner_id: "admin" }]);
    assert.deepEqual(await db.query("select namespace, name from operations where id = '__removed__'"), [
      { namespace: "system", name: "removed" },
    ]);
    await drop();
  });

  if (kind === "postgres") {
    Deno.test("postgres: migrate() lets one of several hubs that start together apply each migration", async () => {
      const { db, url, drop } = await testDatabase(kind);
      const more = [...await listMigrations(), { name: "9999_once", sql: "create table once (x text);\n" }];
      const others = [db, openPostgres({ url: url ?? "" }), openPostgres({ url: url ?? "" })];
      const applied = await Promise.all(others.map((it) => migrate(it, more)));
      assert.deepEqual(applied.flat(), ["9999_once"]);
      for (const other of others.slice(1)) await other.close();
      await drop();
    });
  }
}

Deno.test({
  name: "migrate() makes the same schema embedded as on a server",
  ignore: !(await databaseKinds()).includes("postgres"),
  fn: async () => {
    const columns = `select table_name, column_name, ordinal_position, data_type, udt_name, is_nullable, column_default
      from information_schema.columns where table_schema = 'public' order by table_name, ordinal_position`;
    const indexes =
      "select tablename, indexname, indexdef from pg_indexes where schemaname = 'public' order by indexname";
    const seen = [];
    for (const kind of ["embedded", "postgres"] as const) {
      const { db, drop } = await testDatabase(kind);
      seen.push({ columns: await db.query(columns), indexes: await db.query(indexes) });
      await drop();
    }
    assert.ok((seen[0]?.columns.length ?? 0) > 100);
    assert.deepEqual(seen[0], seen[1]);
  },
});

Deno.test("splitStatements() keeps a function's body whole", () => {
  const sql =
    "-- essay; of words\ncreate table a (\n  x text\n);\ncreate function f() returns int as $$\nbegin\n  x;\nend $$;\nselect 1;\n";
  assert.deepEqual(splitStatements(sql).map((it) => it.trim()), [
    "create table a (\n  x text\n);",
    "create function f() returns int as $$\nbegin\n  x;\nend $$;",
    "select 1;",
  ]);
});
