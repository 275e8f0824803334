import assert from "node:assert/strict";
import { testInferenceStores } from "../../tests/conformance/inference_stores.ts";
import { databaseKinds, testDatabase } from "../../tests/support/test_database.ts";
import { MemoryPolicies, MemoryResponseOwners } from "../inference/mod.ts";
import { createPolicyStore, createResponseOwners, sweepInference } from "./inference_store.ts";

testInferenceStores("memory", () =>
  Promise.resolve({
    policies: new MemoryPolicies(),
    owners: new MemoryResponseOwners(),
    close: () => Promise.resolve(),
  }));

for (const kind of await databaseKinds()) {
  testInferenceStores(kind, async () => {
    const { db, drop } = await testDatabase(kind);
    return { policies: createPolicyStore(db), owners: createResponseOwners(db), close: drop };
  });

  Deno.test(`${kind}: sweepInference() takes minutes that are over, and no other budget`, async () => {
    const { db, drop } = await testDatabase(kind);
    try {
      await db.query(`insert into budgets (org_id, kind, id, created_at) values
        ('o', 'minute', 'old', now() - interval '3 hours'), ('o', 'minute', 'new', now()),
        ('o', 'key', 'k', now() - interval '3 hours')`);
      await sweepInference(db);
      const rows = await db.query<{ id: string }>("select id from budgets order by id");
      assert.deepEqual(rows.map(({ id }) => id), ["k", "new"]);
    } finally {
      await drop();
    }
  });
}
