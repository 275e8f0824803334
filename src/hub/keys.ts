import { type ApiKeyManager, createKeys } from "@alkdev/keypal";
import { adminKeyProblem, type Auth, createAuth, ensureAdminKey } from "../auth/mod.ts";
import { denoFiles } from "../config/mod.ts";
import { hubLogger } from "../logger/mod.ts";
import { type AuditLogStore, createAuditLog, createKeyStorage, type Database } from "../storage/mod.ts";

/** The tenant of a hub that has set itself up. */
export const DEFAULT_ORG = "default";

export interface HubKeys {
  readonly keys: ApiKeyManager;
  readonly auth: Auth;
  readonly audit: AuditLogStore;
  /** Where the administrator's key is. */
  readonly adminKeyPath: string;
  /** True on the first start, which made the key. */
  readonly isNew: boolean;
}

/** The database had keys already, so this start has made none. */
function adminKeyWarning(problem: "missing" | "refused", path: string): string {
  const what = problem === "missing" ? "is not there" : "holds a key that this database does not take";
  return `The administrator's key file "${path}" ${what}, and the database has other keys. Copy the file from the data ` +
    "directory that the database was set up with, or make a key with `hub keys create --offline --scopes '*'` and keep it there";
}

/** The manager of this hub's keys. */
export function keysOf(db: Database): ApiKeyManager {
  return createKeys({ prefix: "alk_", storage: createKeyStorage(db) });
}

/** Keys, what turns them into callers, and the administrator's key on the first start. */
export async function openKeys(db: Database, dataDir: string): Promise<HubKeys> {
  const keys = keysOf(db);
  const auth = createAuth({ keys });
  const adminKeyPath = `${dataDir}/admin.key`;
  const file = {
    read: () => denoFiles.readText(adminKeyPath),
    create: (text: string) => denoFiles.createSecret(adminKeyPath, text),
  };
  const isNew = await ensureAdminKey({ keys, ownerId: "admin", orgId: DEFAULT_ORG, file });
  const problem = await adminKeyProblem({ keys, file });
  if (problem !== null) hubLogger("main").warn(adminKeyWarning(problem, adminKeyPath));
  return { keys, auth, audit: createAuditLog(db), adminKeyPath, isNew };
}
