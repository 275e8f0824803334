import { decodeBase64, encodeBase64 } from "./base64.ts";
import type { EncryptedData } from "./encrypted_data.ts";

const ROUNDS = 100_000;
const SALT_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** A secret that cannot be opened. It does not say why: a precise message would help who guesses. */
export class DecryptError extends Error {
  constructor() {
    super("Cannot decrypt the value: the key or the value is wrong");
    this.name = "DecryptError";
  }
}

/** 32 random bytes, base64. */
export function generateEncryptionKey(): string {
  return encodeBase64(crypto.getRandomValues(new Uint8Array(32)));
}

/**
 * AES-256-GCM under a key derived from the key string's UTF-8 bytes by PBKDF2-SHA-256 with 100,000 rounds, salt and IV fresh
 * each time. Costs about 30 ms, off the main thread.
 */
export async function encrypt(plaintext: string, key: string, keyVersion = 1): Promise<EncryptedData> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const derived = await deriveKey(key, salt);
  const data = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, derived, new TextEncoder().encode(plaintext));
  return { keyVersion, salt: encodeBase64(salt), iv: encodeBase64(iv), data: encodeBase64(new Uint8Array(data)) };
}

/** @throws {DecryptError} for a wrong key and for a value that was changed, alike */
export async function decrypt(encrypted: EncryptedData, key: string): Promise<string> {
  const salt = decodeBase64(encrypted.salt);
  const iv = decodeBase64(encrypted.iv);
  const data = decodeBase64(encrypted.data);
  if (salt?.length !== SALT_BYTES || iv?.length !== IV_BYTES || data === null || data.length < TAG_BYTES) {
    throw new DecryptError();
  }
  try {
    const derived = await deriveKey(key, salt);
    const plaintext = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, derived, data);
    return new TextDecoder("utf-8", { fatal: true }).decode(plaintext);
  } catch {
    throw new DecryptError();
  }
}

async function deriveKey(key: string, salt: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey("raw", new TextEncoder().encode(key), "PBKDF2", false, ["deriveKey"]);
  const algorithm = { name: "PBKDF2", hash: "SHA-256", salt, iterations: ROUNDS };
  return await crypto.subtle.deriveKey(algorithm, material, { name: "AES-GCM", length: 256 }, false, [
    "encrypt",
    "decrypt",
  ]);
}
