import assert from "node:assert/strict";
import { wholeRun } from "../../tests/conformance/fixtures.ts";
import { databaseKinds, testDatabase } from "../../tests/support/test_database.ts";
import { createEventLog } from "./event_log.ts";
import { acquireLease } from "./lease.ts";

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
