import type { KeyRing } from "../crypto/mod.ts";
import type { ClientStore } from "./client_store.ts";

const AT_ONCE = 20;

/**
 * After a rotation of the key ring: seals with its current key what an older one has sealed. Gives up at the first value that
 * cannot be opened, which stays as it is.
 *
 * @returns how many
 */
export async function resealSecrets(
  { store, keyRing }: { readonly store: ClientStore; readonly keyRing: KeyRing },
): Promise<number> {
  let count = 0;
  for (;;) {
    const found = await store.sealedOtherwise({ keyVersion: keyRing.current.version, limit: AT_ONCE });
    if (found.length === 0) return count;
    for (const { clientId, secret } of found) {
      const sealed = await keyRing.encrypt(await keyRing.decrypt(secret.sealed));
      await store.reseal({ clientId, before: secret, sealed });
      count++;
    }
  }
}
