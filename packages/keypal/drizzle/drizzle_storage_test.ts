/** Over PGlite, and over PostgreSQL where it answers. */
import { AUDIT_CHECKS, STORAGE_CHECKS } from "../storage_conformance.ts";
import { databaseKinds, emptyDatabase } from "../../../tests/support/test_database.ts";
import { DrizzleStorage, KEY_TABLES_SQL } from "./mod.ts";

for (const kind of await databaseKinds()) {
  Deno.test(`DrizzleStorage on ${kind}`, async (t) => {
    const { db, drop } = await emptyDatabase(kind);
    try {
      await db.script(KEY_TABLES_SQL);
      await db.script(KEY_TABLES_SQL);
      for (const { name, run } of [...STORAGE_CHECKS, ...AUDIT_CHECKS]) {
        await db.script("truncate apikey, apikey_log");
        await t.step(name, () => run(new DrizzleStorage({ db: db.orm })));
      }
    } finally {
      await drop();
    }
  });
}
