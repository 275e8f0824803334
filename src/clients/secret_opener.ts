import type { KeyRing } from "../crypto/mod.ts";
import type { ClientSecret } from "./client.ts";

/** Opens all secrets of a client, by name. @throws {DecryptError} */
export async function openSecrets(
  keyRing: Pick<KeyRing, "decrypt">,
  secrets: readonly ClientSecret[],
): Promise<ReadonlyMap<string, string>> {
  const opened = secrets.map(async (
    { name, sealed },
  ): Promise<[string, string]> => [name, await keyRing.decrypt(sealed)]);
  return new Map(await Promise.all(opened));
}

/** Long enough that four characters of it do not give it away. */
const MIN_LENGTH_TO_HINT = 16;

/** Seals a secret under its name. */
export async function sealSecret(
  keyRing: Pick<KeyRing, "encrypt">,
  params: { readonly name: string; readonly value: string; readonly at: number },
): Promise<ClientSecret> {
  const { name, value, at } = params;
  const last4 = value.length >= MIN_LENGTH_TO_HINT && /^[!-~]{4}$/.test(value.slice(-4)) ? value.slice(-4) : null;
  return { name, sealed: await keyRing.encrypt(value), last4, updatedAt: at };
}
