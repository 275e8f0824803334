/**
 * Keeps what this version writes for later versions' `upgrade_test.ts`. Run once with each migration that is about to land:
 * `deno run -A tests/integration/record_upgrade.ts` writes `fixtures/<newest migration>.json`.
 */
import { listMigrations } from "../../src/storage/mod.ts";
import { testDatabase } from "../support/test_database.ts";
import { connectSpoke, liveRuns, type Recording } from "./_upgrade_world.ts";

const TABLES = ["hubs", "plans", "runs", "live_runs", "failed_runs", "run_events", "idempotency_keys", "spokes"];

const migrations = await listMigrations();
const { db, drop } = await testDatabase("embedded");
const left = await liveRuns(db);
await connectSpoke(db);
const tables: Record<string, readonly unknown[]> = {};
for (const table of TABLES) {
  const [found] = await db.query<{ rows: readonly unknown[] }>(`select json_agg(t) as rows from ${table} t`);
  tables[table] = found?.rows ?? [];
}
await drop();
const recording: Recording = { migrations: migrations.length, left, tables };
const path = new URL(`fixtures/${migrations.at(-1)?.name}.json`, import.meta.url);
await Deno.writeTextFile(path, `${JSON.stringify(recording, null, 2)}\n`);
console.log(path.pathname);
