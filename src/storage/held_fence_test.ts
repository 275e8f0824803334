import assert from "node:assert/strict";
import { FencedError } from "../../engine/ports.ts";
import { RunScript } from "../../tests/conformance/fixtures.ts";
import { postgresAvailable, type TestDatabase, testDatabase } from "../../tests/support/test_database.ts";
import type { Connection, Database } from "./database.ts";
import { createEventLog } from "./event_log.ts";
import { acquireLease } from "./lease.ts";

const isAvailable = await postgresAvailable();
const LEASE = { hubId: "a", ttlMs: 60_000 };
const HELD = `select 1 from pg_locks where locktype = 'advisory' and mode = 'ShareLock' and granted
  and database = (select oid from pg_database where datname = current_database())`;
const BLOCKED = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
  and query like 'insert into run_events%current_setting%'`;

function test(name: string, body: (database: TestDatabase) => Promise<void>): void {
  Deno.test({
    name: `postgres: ${name}`,
    ignore: !isAvailable,
    async fn() {
      const database = await testDatabase("postgres");
      await body(database);
      await database.drop();
    },
  });
}

/** A start and lone rows after it. */
function script(rows: number): RunScript {
  const run = new RunScript().created();
  for (let i = 0; i < rows; i++) run.call(`n${i}`);
  return run;
}

/** A database whose statements on a connection are calls of two sessions in turns, as a pooler may do. */
function pooled(db: Database, calls: string[]): Database {
  const connect = async (): Promise<Connection> => {
    const sessions = [await db.connect(), await db.connect()] as const;
    let turn = 0;
    return {
      prepared: (name, text, values) => sessions[0].prepared(name, text, values),
      call: (statement) => {
        calls.push(statement.name);
        return sessions[turn++ % 2 === 0 ? 0 : 1].call(statement);
      },
      close: async () => void await Promise.all(sessions.map((session) => session.close())),
    };
  };
  return { ...db, connect };
}

test("createEventLog() writes lone rows under a fence that its session holds", async ({ db }) => {
  const log = createEventLog(db, await acquireLease(db, LEASE));
  const run = script(3);
  await log.commit(run.events.slice(0, 1));
  assert.equal((await db.query(HELD)).length, 0);
  for (const event of run.events.slice(1)) await log.commit([event]);
  assert.equal((await db.query(HELD)).length, 1);
  assert.deepEqual(await log.read({ runId: run.runId }), run.events);
  await log.close();
});

test("acquireLease() ends a session that holds the fence, and what its log writes next is refused (I2)", async ({ db }) => {
  const old = createEventLog(db, await acquireLease(db, LEASE));
  const run = script(4);
  for (const event of run.events.slice(0, 3)) await old.commit([event]);
  const next = createEventLog(db, await acquireLease(db, LEASE));
  assert.equal((await db.query(HELD)).length, 0);
  await rejectsWithFenced(() => old.commit(run.events.slice(3, 4)));
  assert.deepEqual(await next.read({ runId: run.runId }), run.events.slice(0, 3));
  for (const event of run.events.slice(3)) await next.commit([event]);
  await rejectsWithFenced(() => old.commit(run.events.slice(4, 5)));
  assert.deepEqual(await next.read({ runId: run.runId }), run.events);
  await old.close();
  await next.close();
});

test("acquireLease() does not wait for a held commit that makes no headway: nothing of it is written (I2)", async ({ db }) => {
  const old = createEventLog(db, await acquireLease(db, LEASE));
  const run = script(3);
  for (const event of run.events.slice(0, 3)) await old.commit([event]);
  const { runId } = run;
  let stuck: Promise<unknown> = Promise.resolve();
  await db.transaction(async (tx) => {
    // The same row, not committed: the log's insert waits to see what becomes of it.
    await tx.query("insert into run_events (run_id, at, seq, type, body) values ($1, now(), 4, 'x', '{}')", [runId]);
    stuck = old.commit(run.events.slice(3, 4)).then(() => assert.fail("It was written"), (error: unknown) => error);
    while ((await db.query(BLOCKED)).length === 0);
    await acquireLease(db, LEASE);
    throw new Error("undone");
  }).catch((error: Error) => assert.equal(error.message, "undone"));
  assert.ok(await stuck instanceof Error);
  await rejectsWithFenced(() => old.commit(run.events.slice(3, 4)));
  assert.deepEqual(await old.read({ runId }), run.events.slice(0, 3));
  await old.close();
});

test("a claim takes the runs of a hub whose session still holds the fence", async ({ db }) => {
  const frozen = createEventLog(db, await acquireLease(db, { hubId: "a", ttlMs: 1 }));
  const run = script(1);
  for (const event of run.events) await frozen.commit([event]);
  const other = await acquireLease(db, { hubId: "b", ttlMs: 60_000 });
  assert.deepEqual(await other.claim(10), [run.runId]);
  await frozen.close();
});

test("createEventLog() goes by the function, as safe and for good, where sessions are not its own", async ({ db }) => {
  const calls: string[] = [];
  const shared = pooled(db, calls);
  const log = createEventLog(shared, await acquireLease(db, LEASE));
  const run = script(20);
  for (const event of run.events) await log.commit([event]);
  assert.deepEqual(await log.read({ runId: run.runId }), run.events);
  assert.deepEqual(calls.slice(-5), Array(5).fill("commit_row_v1"));
  const more = script(1);
  await acquireLease(db, LEASE);
  await rejectsWithFenced(() => log.commit(more.events));
  await log.close();
});

/** Sends it, as the engine does, until the log says something other than that the connection was lost. */
async function rejectsWithFenced(commit: () => Promise<unknown>): Promise<void> {
  for (let left = 5; left > 0; left--) {
    const error = await commit().then(() => assert.fail("It was written"), (reason: unknown) => reason);
    if (error instanceof FencedError) return;
    assert.ok(!(error instanceof assert.AssertionError), String(error));
  }
  assert.fail("It was never refused for its epoch");
}
