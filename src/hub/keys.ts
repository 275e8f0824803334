import { type ApiKeyManager, createKeys } from "@alkdev/keypal";
import { type Auth, createAuth, ensureAdminKey } from "../auth/mod.ts";
import { denoFiles } from "../config/mod.ts";
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

/** The manager of this hub's keys. */
export function keysOf(db: Database): ApiKeyManager {
  return createKeys({ prefix: "alk_", storage: createKeyStorage(db) });
}

/** Keys, what turns them into callers, and the administrator's key on the first start. */
export async function openKeys(db: Database, dataDir: string): Promise<HubKeys> {
  const keys = keysOf(db);
  const auth = createAuth({ keys });
  const adminKeyPath = `${dataDir}/admin.key`;
  const isNew = await ensureAdminKey({
    keys,
    ownerId: "admin",
    orgId: DEFAULT_ORG,
    file: {
      read: () => denoFiles.readText(adminKeyPath),
      create: (text) => denoFiles.createSecret(adminKeyPath, text),
    },
  });
  return { keys, auth, audit: createAuditLog(db), adminKeyPath, isNew };
}
