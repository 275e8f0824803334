/** keypal's own checks of a storage, over the hub's. Its in-memory one runs them in packages/keypal. */
import { AUDIT_CHECKS, STORAGE_CHECKS } from "../../packages/keypal/storage_conformance.ts";
import { createKeyStorage } from "../../src/storage/api_key_store.ts";
import { databaseKinds, testDatabase } from "../support/test_database.ts";

for (const kind of await databaseKinds()) {
  for (const check of [...STORAGE_CHECKS, ...AUDIT_CHECKS]) {
    Deno.test(`${kind}: Storage ${check.name}`, async () => {
      const { db, drop } = await testDatabase(kind);
      try {
        await check.run(createKeyStorage(db));
      } finally {
        await drop();
      }
    });
  }
}
