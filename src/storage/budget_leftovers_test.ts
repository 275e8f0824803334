import assert from "node:assert/strict";
import { RunScript } from "../../tests/conformance/fixtures.ts";
import { databaseKinds, testDatabase } from "../../tests/support/test_database.ts";
import { createBudgetLedger } from "./budget_ledger.ts";
import { createLeftovers } from "./budget_leftovers.ts";
import { createEventLog } from "./event_log.ts";
import { acquireLease } from "./lease.ts";

for (const kind of await databaseKinds()) {
  Deno.test(`${kind}: Leftovers find() gives reservations whose call or run is over, and no other`, async () => {
    const { db, drop } = await testDatabase(kind);
    const log = createEventLog(db, await acquireLease(db, { hubId: "h", ttlMs: 60_000 }));
    try {
      const ledger = createBudgetLedger(db);
      const [done, under, lost] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
      const live = new RunScript().created().requested("a", done).responded("a", done).requested("b", under);
      const usage = { inputTokens: 3, outputTokens: 4, costMicros: 5 };
      const answered = live.events.map((event) =>
        event.type === "call.responded"
          ? {
            ...event,
            output: { data: 1, meta: { source: "http", statusCode: 200, headers: {}, contentType: "", usage } },
          }
          : event
      ) as typeof live.events;
      const ended = new RunScript().created().requested("c", lost).completed();
      await log.commit([...answered, ...ended.events]);
      const reserve = (id: string, runId: string | null, expiresAt: number | null = null) =>
        ledger.reserve({
          orgId: "default",
          id,
          holders: [{ kind: "org", id: "default" }],
          amounts: { calls: 1, tokens: 9, costMicros: 9 },
          runId,
          workflow: null,
          operationId: "o",
          identityId: "u",
          expiresAt,
        });
      await reserve(done, live.runId);
      await reserve(under, live.runId);
      await reserve(lost, ended.runId);
      await reserve("not-a-uuid", null, Date.now() - 1000);
      await reserve("still-going", null, Date.now() + 60_000);
      const leftovers = createLeftovers(db);
      assert.deepEqual(await leftovers.find(10), [], "their calls may be about to be settled");
      await db.query("update budget_charges set at = at - interval '1 minute'");
      const found = new Map((await leftovers.find(10)).map(({ id, usage }) => [id, usage]));
      assert.deepEqual([...found.keys()].toSorted(), [done, lost, "not-a-uuid"].toSorted());
      assert.deepEqual(found.get(done), { tokens: 7, costMicros: 5 });
      assert.equal(found.get(lost), null);
    } finally {
      await log.close();
      await drop();
    }
  });
}
