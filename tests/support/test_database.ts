import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import process from "node:process";
import { listMigrations, migrate } from "../../src/storage/migrate.ts";
import { openEmbedded } from "../../src/storage/embedded_database.ts";
import { openPostgres } from "../../src/storage/postgres_database.ts";
import type { Database } from "../../src/storage/database.ts";

export type DatabaseKind = "embedded" | "postgres";

/** A migrated database of a test's own. `url` is null for the embedded one. `drop` closes it and takes it away. */
export interface TestDatabase {
  readonly db: Database;
  readonly url: string | null;
  drop(): Promise<void>;
}

const SERVER = process.env["HUB_TEST_DATABASE_URL"] ?? "postgres://postgres@127.0.0.1:5432/postgres";
let available: Promise<boolean> | undefined;

/** Whether PostgreSQL answers at HUB_TEST_DATABASE_URL (default: 127.0.0.1:5432). Asked once. */
export function postgresAvailable(): Promise<boolean> {
  return available ??= (async () => {
    const db = openPostgres({ url: `${SERVER}${SERVER.includes("?") ? "&" : "?"}connect_timeout=2` });
    try {
      await db.query("select 1");
      return true;
    } catch {
      return false;
    } finally {
      await db.close();
    }
  })();
}

/** The kinds that can be tested here. */
export async function databaseKinds(): Promise<readonly DatabaseKind[]> {
  return await postgresAvailable() ? ["embedded", "postgres"] : ["embedded"];
}

/** A fresh, migrated database; the embedded kind lives in memory and starts from a dump kept in the system's temporary folder. */
export async function testDatabase(kind: DatabaseKind): Promise<TestDatabase> {
  if (kind === "postgres") {
    const made = await emptyDatabase(kind);
    await migrate(made.db);
    return made;
  }
  const db = await openEmbedded({ load: await migratedDump() });
  return { db, url: null, drop: () => db.close() };
}

/** A fresh database without a table. */
export async function emptyDatabase(kind: DatabaseKind): Promise<TestDatabase> {
  if (kind === "embedded") {
    const db = await openEmbedded({});
    return { db, url: null, drop: () => db.close() };
  }
  const name = `hub_test_${crypto.randomUUID().replaceAll("-", "")}`;
  await onServer((admin) => admin.query(`create database ${name}`));
  const url = new URL(SERVER);
  url.pathname = `/${name}`;
  const db = openPostgres({ url: url.href });
  return {
    db,
    url: url.href,
    drop: async () => {
      await db.close();
      await onServer((admin) => admin.query(`drop database if exists ${name} with (force)`));
    },
  };
}

async function onServer(work: (admin: Database) => Promise<unknown>): Promise<void> {
  const admin = openPostgres({ url: SERVER, max: 1 });
  try {
    await work(admin);
  } finally {
    await admin.close();
  }
}

let dump: Promise<Blob> | undefined;

function migratedDump(): Promise<Blob> {
  return dump ??= loadDump();
}

/** The dump is named after the migrations and PGlite's files, so that a change of either makes a new one. */
async function loadDump(): Promise<Blob> {
  const migrations = await listMigrations();
  const key = createHash("sha256").update(JSON.stringify(migrations)).update(pgliteVersion()).digest("hex").slice(
    0,
    24,
  );
  const folder = `${tmpdir()}/alkdev-hub-test-dumps`;
  const path = `${folder}/${key}.tar`;
  if (existsSync(path)) return new Blob([new Uint8Array(readFileSync(path))]);
  const db = await openEmbedded({});
  await migrate(db, migrations);
  const made = await db.dump();
  await db.close();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const part = `${path}.${process.pid}`;
  writeFileSync(part, new Uint8Array(await made.arrayBuffer()));
  renameSync(part, path); // whoever comes second replaces it with an equal one
  return made;
}

function pgliteVersion(): string {
  return /pglite@([0-9.]+)/.exec(import.meta.resolve("@electric-sql/pglite"))?.[1] ?? "unknown";
}
