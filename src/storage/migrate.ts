import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Database } from "./database.ts";

const FOLDER = fileURLToPath(new URL("../../migrations/", import.meta.url));
/** Any number that nothing else in the database uses: "hub" in ASCII. */
const ADVISORY_LOCK = 0x687562;

export interface Migration {
  /** `0001_initial`: sorts in the order of application. */
  readonly name: string;
  readonly sql: string;
}

/** The migrations that belong to this version, in order. */
export async function listMigrations(folder: string = FOLDER): Promise<readonly Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".sql")).sort();
  return await Promise.all(files.map(async (file) => ({
    name: file.slice(0, -".sql".length),
    sql: await readFile(`${folder}/${file}`, "utf8"),
  })));
}

/**
 * Brings the database to this version: applies, under an advisory lock and each in its own transaction, the migrations that
 * it does not have. Several hubs may start at once. Gives the names applied.
 *
 * @throws Error when a migration that was applied has changed since, or is unknown to this version.
 */
export async function migrate(
  db: Database,
  migrations: Promise<readonly Migration[]> | readonly Migration[] = listMigrations(),
): Promise<readonly string[]> {
  const wanted = await migrations;
  const applied: string[] = [];
  // The lock lasts as long as one transaction, so every step takes it anew and looks again.
  for (let done = false; !done;) {
    done = await db.transaction(async (tx) => {
      await tx.query("select pg_advisory_xact_lock($1)", [ADVISORY_LOCK]);
      await tx.query(
        "create table if not exists migrations (name text primary key, checksum text not null, applied_at timestamptz not null default now())",
      );
      const rows = await tx.query<{ name: string; checksum: string }>("select name, checksum from migrations");
      const landed = new Map(rows.map((row) => [row.name, row.checksum]));
      const next = nextMigration(wanted, landed);
      if (next === null) return true;
      for (const statement of splitStatements(next.sql)) await tx.query(statement);
      await tx.query("insert into migrations (name, checksum) values ($1, $2)", [next.name, checksum(next.sql)]);
      applied.push(next.name);
      return false;
    });
  }
  return applied;
}

function nextMigration(wanted: readonly Migration[], landed: ReadonlyMap<string, string>): Migration | null {
  const known = new Map(wanted.map((migration) => [migration.name, checksum(migration.sql)]));
  for (const [name, sum] of landed) {
    const expected = known.get(name);
    if (expected === undefined) {
      throw new Error(`Cannot migrate: the database has migration "${name}", which this version does not know`);
    }
    if (expected !== sum) throw new Error(`Cannot migrate: "${name}" has changed since it was applied`);
  }
  return wanted.find((migration) => !landed.has(migration.name)) ?? null;
}

function checksum(sql: string): string {
  return createHash("sha256").update(sql).digest("hex");
}

/** Statements end with `;` at the end of a line, outside `$$` bodies. */
export function splitStatements(sql: string): readonly string[] {
  const statements: string[] = [];
  let current = "";
  let inBody = false;
  for (const line of sql.split("\n")) {
    if (!inBody && current === "" && (line.startsWith("--") || line.trim() === "")) continue;
    current += line + "\n";
    if ((line.split("$$").length - 1) % 2 === 1) inBody = !inBody;
    if (!inBody && line.trimEnd().endsWith(";")) {
      statements.push(current);
      current = "";
    }
  }
  if (current.trim() !== "") statements.push(current);
  return statements;
}
