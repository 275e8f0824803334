import type { ApiKeyManager } from "@alkdev/keypal";

/** What {@linkcode ensureAdminKey} works with. */
export interface AdminKeyOptions {
  readonly keys: Pick<ApiKeyManager, "generateKey" | "adopt" | "hashKey" | "findByHash" | "listByOrg">;
  /** Reads and creates the key's file; null: there is none. */
  readonly file: {
    read(): Promise<string | null>;
    /** Only its owner can read it. False: it is there already. */
    create(text: string): Promise<boolean>;
  };
  /** Account of the key. */
  readonly ownerId: string;
  readonly orgId: string;
}

/**
 * Makes the administrator's key where an organization has no key yet: first in its file, then in the storage, so that a crash
 * between the two loses nothing: the next start stores what the file has. Answers whether a key was stored now.
 */
export async function ensureAdminKey(options: AdminKeyOptions): Promise<boolean> {
  const { keys, ownerId, orgId } = options;
  if ((await keys.listByOrg(orgId)).length > 0) return false;
  const key = await readOrCreate(options);
  if (key === "" || await keys.findByHash(keys.hashKey(key)) !== null) return false;
  try {
    await keys.adopt(key, { ownerId, orgId, name: "admin", scopes: ["*"] });
    return true;
  } catch (error) {
    // A hub that started at the same time on the same file stored it first.
    if (await keys.findByHash(keys.hashKey(key)) !== null) return false;
    throw error;
  }
}

/**
 * Why the administrator's key file is of no use with this database, though the database has keys: it was lost, or belongs to
 * another database. Null: it is good.
 */
export async function adminKeyProblem(
  { keys, file }: {
    readonly keys: Pick<ApiKeyManager, "verify">;
    readonly file: Pick<AdminKeyOptions["file"], "read">;
  },
): Promise<"missing" | "refused" | null> {
  const key = (await file.read())?.trim() ?? "";
  if (key === "") return "missing";
  const { valid } = await keys.verify(key, { skipTracking: true });
  return valid ? null : "refused";
}

async function readOrCreate({ keys, file }: AdminKeyOptions): Promise<string> {
  const found = await file.read();
  if (found !== null) return found.trim();
  const fresh = keys.generateKey();
  if (await file.create(`${fresh}\n`)) return fresh;
  // Another hub was first: its file counts.
  return (await file.read())?.trim() ?? "";
}
