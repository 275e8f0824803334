import assert from "node:assert/strict";
import { createKeys } from "@alkdev/keypal";
import { createMemoryMemberStore } from "../../src/roles/mod.ts";
import { createKeyStorage, createMemberStore, findStandingKey } from "../../src/storage/mod.ts";
import { databaseKinds, testDatabase } from "../support/test_database.ts";
import { memberStoreConformance } from "./member_store.ts";

memberStoreConformance(
  "memory",
  () => Promise.resolve({ store: createMemoryMemberStore(), close: () => Promise.resolve() }),
);

for (const kind of await databaseKinds()) {
  memberStoreConformance(kind, async () => {
    const { db, drop } = await testDatabase(kind);
    return { store: createMemberStore(db), close: drop };
  });

  Deno.test(`${kind}: whoever has a key is a member, and no key of a suspended one is taken there`, async () => {
    const { db, drop } = await testDatabase(kind);
    try {
      const keys = createKeys({ prefix: "t_", storage: createKeyStorage(db) });
      const members = createMemberStore(db);
      const here = await keys.create({ ownerId: "bot", orgId: "a", name: "one", scopes: ["run:read"] });
      const there = await keys.create({ ownerId: "bot", orgId: "b", name: "two", scopes: ["run:read"] });
      assert.deepEqual(
        (await members.list({ orgId: "a", limit: 9, after: null })).map((it) => [it.accountId, it.keys]),
        [
          ["bot", 1],
        ],
      );
      await members.set({ orgId: "a", accountId: "bot", status: "suspended" });
      const judged = async () => [(await keys.verify(here.key)).valid, (await keys.verify(there.key)).valid];
      assert.deepEqual(await judged(), [false, true]);
      assert.equal((await findStandingKey(db, here.record.id))?.metadata.enabled, false);
      assert.equal((await findStandingKey(db, there.record.id))?.metadata.enabled, true);
      // A rotation while it lasts must not write the suspension into the new key.
      const { key } = await keys.rotate(here.record.id);
      assert.equal((await keys.verify(key)).valid, false);
      await members.set({ orgId: "a", accountId: "bot", status: "active" });
      assert.equal((await keys.verify(key)).valid, true);
    } finally {
      await drop();
    }
  });
}
