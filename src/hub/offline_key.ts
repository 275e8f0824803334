import { checkScopes, type IssuedKey, toKeyView } from "../auth/mod.ts";
import type { HubConfig } from "../config/mod.ts";
import { createAuditLog } from "../storage/mod.ts";
import { openConfigured } from "./foundation.ts";
import { DEFAULT_ORG, keysOf } from "./keys.ts";

/** What {@linkcode createKeyOffline} makes. */
export interface OfflineKey {
  readonly config: HubConfig;
  readonly name: string;
  readonly scopes: readonly string[];
  /** Ms since the epoch; absent: never. */
  readonly expiresAt?: number;
}

/**
 * Makes a key in the database itself: for whoever has lost the administrator's. It is the database's owner that may do this, so
 * no key is asked for.
 *
 * @throws Error when the embedded database is a running hub's, cannot be reached, or was never set up
 * @throws {CallError} `VALIDATION_ERROR` for a scope that nothing asks for
 */
export async function createKeyOffline({ config, name, scopes, expiresAt }: OfflineKey): Promise<IssuedKey> {
  checkScopes(scopes);
  if (config.databaseUrl === null && !await exists(`${config.dataDir}/pglite`)) {
    throw new Error(`There is no database in "${config.dataDir}": the first start of the hub makes it, and a key`);
  }
  const db = await openConfigured(config);
  try {
    const [{ found } = { found: null }] = await db.query<{ found: string | null }>(
      "select to_regclass('api_keys')::text as found",
    );
    if (found === null) throw new Error("The database has no tables yet: start the hub once, or run `hub migrate`");
    const { key, record } = await keysOf(db).create({
      ownerId: "admin",
      orgId: DEFAULT_ORG,
      name,
      scopes: [...new Set(scopes)],
      expiresAt: expiresAt === undefined ? null : new Date(expiresAt).toISOString(),
    });
    const details = { name, scopes, byKey: null, offline: true };
    const entry = { action: "key.created", orgId: DEFAULT_ORG, ownerId: "admin", keyId: record.id, details } as const;
    await createAuditLog(db).append(entry);
    return { key, record: toKeyView(record, Date.now()) };
  } finally {
    await db.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
