import assert from "node:assert/strict";
import { databaseKinds, postgresAvailable, testDatabase } from "../../tests/support/test_database.ts";

for (const kind of await databaseKinds()) {
  Deno.test(`${kind}: Connection.call() gives one value as text, or null, and goes on after an error`, async () => {
    const { db, drop } = await testDatabase(kind);
    const connection = await db.connect();
    const half = (value: string | null) =>
      connection.call({ name: "half", text: "select ($1::int / 2)::text || '!'", values: [value] });
    assert.deepEqual([await half("8"), await half(null)], ["4!", null]);
    await assert.rejects(half("eight"), /invalid input syntax for type integer/);
    assert.equal(await half("6"), "3!");
    assert.equal(await connection.call({ name: "none", text: "select 'x'::text where false", values: [] }), null);
    await assert.rejects(connection.call({ name: "bad", text: "select nothing_such", values: [] }), /does not exist/);
    await assert.rejects(connection.call({ name: "bad", text: "select nothing_such", values: [] }), /does not exist/);
    const many = await Promise.all(Array.from({ length: 20 }, (_, i) => half(String(2 * i))));
    assert.deepEqual(many, Array.from({ length: 20 }, (_, i) => `${i}!`));
    await connection.close();
    await drop();
  });
}

Deno.test({
  name: "postgres: Connection.call() rejects when the connection is lost, and connects again",
  ignore: !await postgresAvailable(),
  async fn() {
    const { db, drop } = await testDatabase("postgres");
    const connection = await db.connect();
    const pid = () => connection.call({ name: "pid", text: "select pg_backend_pid()::text", values: [] });
    const first = await pid();
    const sleeping = assert.rejects(connection.call({ name: "sleep", text: "select pg_sleep(60)::text", values: [] }));
    while (
      (await db.query("select 1 from pg_stat_activity where pid = $1 and state = 'active'", [first])).length === 0
    );
    await db.query("select pg_terminate_backend($1)", [first]);
    await sleeping;
    const next = await pid().catch(() => pid());
    assert.notEqual(next, first);
    await connection.close();
    await drop();
  },
});
