import assert from "node:assert/strict";
import type { RunEvent } from "../../engine/events.ts";
import { FencedError } from "../../engine/ports.ts";
import { RunScript, wholeRun } from "../../tests/conformance/fixtures.ts";
import { databaseKinds, postgresAvailable, testDatabase } from "../../tests/support/test_database.ts";
import { createEventLog } from "./event_log.ts";
import type { Database } from "./database.ts";
import { acquireLease } from "./lease.ts";
import { encodeSmallBatch } from "./small_batch.ts";

/** A run in batches of the kinds that have a function of their own, in that order. */
function smallBatches(run: RunScript): readonly (readonly RunEvent[])[] {
  const parent = { runId: run.runId, requestId: crypto.randomUUID(), rootRunId: run.runId };
  const { events } = run.created({ labels: { a: "1", "b\n": "\u0000" }, priority: 3, parent })
    .call("x").failed("y", crypto.randomUUID()).call("z").completed();
  return [events.slice(0, 1), events.slice(1, 3), events.slice(3, 4), events.slice(4)];
}

const NAMES = ["commit_start_v1", "commit_row_v1", "commit_row_v1", "commit_end_v1"];

/** Somebody waits for an advisory lock of this database. */
const WAITING = `select 1 from pg_locks where locktype = 'advisory' and not granted
  and database = (select oid from pg_database where datname = current_database())`;

async function rowsOf(db: Database, runId: string): Promise<unknown> {
  const tables = { runs: "id", live_runs: "run_id", failed_runs: "run_id", run_events: "run_id" };
  return await Promise.all(
    Object.entries(tables).map(([table, id]) =>
      db.query(`select * from ${table} where ${id} = $1 order by 1`, [runId])
    ),
  );
}

for (const kind of await databaseKinds()) {
  Deno.test(`${kind}: createEventLog() refuses to read a log in which an event is missing`, async () => {
    const { db, drop } = await testDatabase(kind);
    const log = createEventLog(db, await acquireLease(db, { hubId: "a", ttlMs: 60_000 }));
    const { runId, events } = wholeRun(2);
    await log.commit(events);
    await db.query("delete from run_events where run_id = $1 and seq = 3", [runId]);
    await assert.rejects(log.read({ runId }), /Cannot read run .*: event 2 is missing in its log/);
    assert.deepEqual(await log.read({ runId, limit: 1 }), events.slice(0, 1));
    assert.deepEqual(await log.read({ runId, after: 3 }), events.slice(3));
    await log.close();
    await drop();
  });
}

for (const kind of await databaseKinds()) {
  Deno.test(`${kind}: createEventLog() stores small batches in the rows that commit_events_v3 makes of them`, async () => {
    const { db, drop } = await testDatabase(kind);
    const lease = await acquireLease(db, { hubId: "a", ttlMs: 60_000 });
    const small = createEventLog(db, lease);
    const large = createEventLog(db, lease, { smallBatches: false });
    const run = new RunScript();
    const batches = smallBatches(run);
    assert.deepEqual(batches.map((batch) => encodeSmallBatch(batch)?.name), NAMES);
    const seen: unknown[][] = [];
    for (const log of [small, large]) {
      const states: unknown[] = [];
      for (const batch of batches) {
        await log.commit(batch);
        states.push(await rowsOf(db, run.runId));
      }
      assert.deepEqual(await log.read({ runId: run.runId }), run.events);
      seen.push(states);
      for (const table of ["run_events", "runs", "live_runs"]) await db.query(`delete from ${table}`);
    }
    assert.deepEqual(seen[0], seen[1]);
    await small.close();
    await large.close();
    await drop();
  });
}

Deno.test({
  name: "postgres: createEventLog() refuses a small batch that waited for a takeover, whatever its kind",
  ignore: !await postgresAvailable(),
  async fn() {
    const { db, drop } = await testDatabase("postgres");
    const run = new RunScript();
    for (const [i, batch] of smallBatches(run).entries()) {
      const log = createEventLog(db, await acquireLease(db, { hubId: "a", ttlMs: 60_000 }));
      // The takeover holds the fence and has raised the epoch, but nobody sees that yet.
      const { refused } = await db.transaction(async (tx) => {
        await tx.query("select pg_advisory_xact_lock(hashtextextended('a', 0))");
        await tx.query("update hubs set epoch = epoch + 1 where id = 'a'");
        let settled = false;
        const refused = assert.rejects(log.commit(batch), FencedError, `batch ${i}`).finally(() => settled = true);
        while (!settled && (await tx.query(WAITING)).length === 0);
        return { refused };
      });
      await refused;
      assert.deepEqual(await log.read({ runId: run.runId }), run.events.slice(0, batch[0]!.seq - 1));
      await log.close();
      const next = createEventLog(db, await acquireLease(db, { hubId: "a", ttlMs: 60_000 }));
      await next.commit(batch);
      await next.close();
    }
    assert.deepEqual(await createEventLog(db, { hubId: "a", epoch: 0 }).read({ runId: run.runId }), run.events);
    await drop();
  },
});
