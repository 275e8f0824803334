import { PGlite } from "@electric-sql/pglite";
import { drizzle } from "drizzle-orm/pglite";
import type { Connection, Database, Queryable, Value } from "./database.ts";
import { lockFolder } from "./folder_lock.ts";

/**
 * PostgreSQL in this process: on `<dataDir>/pglite`, or in memory without one. `load` is a dumped data directory to begin
 * with. What it promises: docs/decisions/0003-embedded-database.md.
 *
 * @throws Error when another process has the folder open.
 */
export async function openEmbedded(
  params: { readonly dataDir?: string; readonly load?: Blob },
): Promise<EmbeddedDatabase> {
  const { dataDir, load } = params;
  const unlock = dataDir === undefined ? () => {} : lockFolder(dataDir);
  try {
    const pglite = await PGlite.create({
      ...(dataDir !== undefined && { dataDir: `${dataDir}/pglite` }),
      ...(load !== undefined && { loadDataDir: load }),
    });
    return embedded(pglite, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

export interface EmbeddedDatabase extends Database {
  /** The data directory as an uncompressed tar, for `load`. */
  dump(): Promise<Blob>;
}

function embedded(pglite: PGlite, unlock: () => void): EmbeddedDatabase {
  let closed: Promise<void> | undefined;
  const connection: Connection = {
    prepared: async <Row extends object>(_name: string, text: string, values: readonly unknown[]) =>
      (await pglite.query<Row>(text, [...values])).rows,
    call: async ({ text, values }) => {
      const { rows } = await pglite.query<readonly Value[]>(text, [...values], { rowMode: "array" });
      return rows[0]?.[0] ?? null;
    },
    close: () => Promise.resolve(),
  };
  return {
    kind: "embedded",
    orm: drizzle({ client: pglite }),
    query: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
      (await pglite.query<Row>(text, [...values])).rows,
    transaction: (work: (tx: Queryable) => Promise<unknown>) =>
      pglite.transaction((tx) =>
        work({
          query: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
            (await tx.query<Row>(text, [...values])).rows,
        })
      ),
    script: async (text) => void await pglite.exec(text),
    connect: () => Promise.resolve(connection),
    close: () => closed ??= pglite.close().finally(unlock),
    dump: () => pglite.dumpDataDir("none"),
  } as EmbeddedDatabase; // transaction<T>: PGlite's own generic adds an undefined that a void callback can never give
}
