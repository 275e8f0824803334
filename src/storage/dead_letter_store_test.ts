import assert from "node:assert/strict";
import { COUNTS, RunScript } from "../../tests/conformance/fixtures.ts";
import { databaseKinds, testDatabase } from "../../tests/support/test_database.ts";
import { createDeadLetterStore } from "./dead_letter_store.ts";
import { createEventLog } from "./event_log.ts";
import { acquireLease } from "./lease.ts";

const caller = (orgId: string) => ({ identity: { id: "u", scopes: [] }, orgId });

for (const kind of await databaseKinds()) {
  Deno.test(`${kind}: createDeadLetterStore() lists what failed and nobody has dealt with`, async () => {
    const { db, drop } = await testDatabase(kind);
    const log = createEventLog(db, await acquireLease(db, { hubId: "a", ttlMs: 60_000 }));
    const store = createDeadLetterStore(db);
    const fail = async (code: string, orgId = "org", more: object = {}) => {
      const run = new RunScript().created({ caller: caller(orgId), labels: { team: code }, ...more });
      run.add({ type: "run.failed", error: { code, message: "no \u0000", nodeKey: null }, counts: COUNTS });
      await log.commit(run.events);
      return run.runId;
    };
    const [a, b] = [await fail("A"), await fail("B")];
    await fail("A", "other");
    const parent = { runId: a, requestId: crypto.randomUUID(), rootRunId: a };
    await fail("A", "org", { parent }); // its parent stands for it
    const aborted = new RunScript().created({ caller: caller("org") });
    aborted.add({ type: "run.aborted", reason: "no", by: "u", counts: COUNTS });
    await log.commit(aborted.events);

    const ids = async (filter = {}) =>
      (await store.list({ orgId: "org", limit: 10, ...filter })).items.map(({ runId }) => runId).sort();
    assert.deepEqual(await ids(), [a, b].sort());
    assert.deepEqual(await ids({ code: "B" }), [b]);
    assert.deepEqual(await ids({ label: ["team=A"] }), [a]);
    assert.deepEqual(await ids({ label: ["none"] }), []);
    const counts = await store.groups({ orgId: "org", by: "code" });
    assert.deepEqual(counts.map(({ value, count }) => [value, count]), [["A", 1], ["B", 1]]);
    assert.deepEqual(await store.handle({ orgId: "other", runIds: [a], handled: "discarded", by: "u" }), []);
    assert.deepEqual(await store.handle({ orgId: "org", runIds: [a, "x"], handled: "discarded", by: "u" }), [a]);
    assert.deepEqual(await store.open({ orgId: "org", runIds: [a, b] }), [b]);
    assert.deepEqual(await ids(), [b]);
    await db.query("delete from failed_runs where run_id = $1", [b]);
    assert.deepEqual(await ids(), []);
    await log.close();
    await drop();
  });
}
