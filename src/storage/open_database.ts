import type { Database } from "./database.ts";
import { openEmbedded } from "./embedded_database.ts";
import { openPostgres } from "./postgres_database.ts";

/**
 * The server at `url`, or without one the embedded database in `<dataDir>/pglite`, or without either one in memory that goes
 * with the process. Not migrated yet.
 *
 * @throws Error when the server cannot be reached, or the folder is another process's.
 */
export async function openDatabase(
  params: { readonly url?: string; readonly dataDir?: string },
): Promise<Database> {
  if (params.url === undefined) {
    return await openEmbedded(params.dataDir === undefined ? {} : { dataDir: params.dataDir });
  }
  const db = openPostgres({ url: params.url });
  try {
    await db.query("select 1");
    return db;
  } catch (cause) {
    await db.close();
    throw new Error(`Cannot reach the database at "${withoutPassword(params.url)}": ${reason(cause)}`, { cause });
  }
}

function withoutPassword(url: string): string {
  return url.replace(/:[^:@/]*@/, ":***@");
}

function reason(cause: unknown): string {
  return cause instanceof Error && cause.message !== "" ? cause.message : String(cause);
}
