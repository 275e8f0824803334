import { DecryptError, type KeyRing } from "../../crypto/mod.ts";
import type { StoredSecret } from "./webhook.ts";
import type { WebhookStore } from "./webhook_store.ts";

const AT_ONCE = 20;

/** What {@linkcode resealWebhooks} came to, in webhooks. */
export interface Resealed {
  readonly resealed: number;
  /** They have a secret that no key of the ring opens: it stays as it is. */
  readonly unreadable: number;
}

/**
 * After a rotation of the key ring: seals with its current key what an older one has sealed. A webhook that is changed
 * meanwhile is left for the next time.
 */
export async function resealWebhooks(
  { store, keyRing }: { readonly store: WebhookStore; readonly keyRing: KeyRing },
): Promise<Resealed> {
  const count = { resealed: 0, unreadable: 0 };
  let after: string | null = null;
  for (;;) {
    const found = await store.sealedOtherwise({ keyVersion: keyRing.current.version, limit: AT_ONCE, after });
    if (found.length === 0) return count;
    for (const webhook of found) {
      after = webhook.id;
      const secrets = await Promise.all(webhook.secrets.map((secret) => reseal(secret, keyRing)));
      if (secrets.includes(null)) count.unreadable++;
      const kept = secrets.map((secret, at) => secret ?? webhook.secrets[at]!);
      if (kept.every((secret, at) => secret === webhook.secrets[at])) continue;
      if (await store.update({ ...webhook, secrets: kept }) === "updated") count.resealed++;
    }
  }
}

/** Null: the ring cannot open it. */
async function reseal(secret: StoredSecret, keyRing: KeyRing): Promise<StoredSecret | null> {
  if (!keyRing.isStale(secret.sealed)) return secret;
  try {
    return { ...secret, sealed: await keyRing.encrypt(await keyRing.decrypt(secret.sealed)) };
  } catch (error) {
    if (error instanceof DecryptError) return null;
    throw error;
  }
}
