import { decodeBase64 } from "./base64.ts";
import { decrypt, DecryptError, encrypt, generateEncryptionKey } from "./cipher.ts";
import type { EncryptedData } from "./encrypted_data.ts";

/** One key of a ring. */
export interface RingKey {
  readonly version: number;
  /** Base64 of 32 bytes. */
  readonly key: string;
}

/**
 * Data encryption keys, `v2:<base64>,v1:<base64>`. The first is current: it encrypts; every one decrypts what names its
 * version. Rotation puts a new key first and leaves the others until nothing names them.
 */
export class KeyRing {
  readonly #keys: readonly [RingKey, ...RingKey[]];

  constructor(keys: readonly [RingKey, ...RingKey[]]) {
    this.#keys = keys;
  }

  get current(): RingKey {
    return this.#keys[0];
  }

  /** The current one first. */
  get keys(): readonly [RingKey, ...RingKey[]] {
    return this.#keys;
  }

  get versions(): readonly number[] {
    return this.#keys.map(({ version }) => version);
  }

  encrypt(plaintext: string): Promise<EncryptedData> {
    return encrypt(plaintext, this.current.key, this.current.version);
  }

  /** @throws {DecryptError} also for a version that the ring has not */
  async decrypt(encrypted: EncryptedData): Promise<string> {
    const found = this.#keys.find(({ version }) => version === encrypted.keyVersion);
    if (found === undefined) throw new DecryptError();
    return await decrypt(encrypted, found.key);
  }

  /** Whether the value should be encrypted anew. */
  isStale(encrypted: EncryptedData): boolean {
    return encrypted.keyVersion !== this.current.version;
  }

  /** A ring with a fresh key in front. */
  rotated(): KeyRing {
    const version = Math.max(...this.versions) + 1;
    return new KeyRing([{ version, key: generateEncryptionKey() }, ...this.#keys]);
  }

  /** The form that {@linkcode parseKeyRing} reads. Holds the keys: for encrypted storage only. */
  serialize(): string {
    return this.#keys.map(({ version, key }) => `v${version}:${key}`).join(",");
  }
}

/** A ring of one fresh key, version 1. */
export function generateKeyRing(): KeyRing {
  return new KeyRing([{ version: 1, key: generateEncryptionKey() }]);
}

/**
 * Reads `v1:<base64>,v2:<base64>`.
 *
 * @throws {Error} naming the entry by its place; never quoting it, as it holds a key
 */
export function parseKeyRing(text: string): KeyRing {
  const keys = text.trim().split(",").map(parseEntry);
  const [first, ...rest] = keys;
  if (first === undefined) throw new Error("Key ring has no entry: wanted v1:<base64>");
  if (new Set(keys.map(({ version }) => version)).size !== keys.length) {
    throw new Error("Key ring has two entries of one version: wanted each version once");
  }
  return new KeyRing([first, ...rest]);
}

function parseEntry(entry: string, index: number): RingKey {
  const match = /^v([1-9]\d{0,8}):([A-Za-z0-9+/]+={0,2})$/.exec(entry.trim());
  const [, version, key] = match ?? [];
  if (version === undefined || key === undefined) {
    throw new Error(`Key ring entry ${index + 1} has a wrong form: wanted v<number>:<base64>`);
  }
  const bytes = decodeBase64(key)?.length;
  if (bytes !== 32) throw new Error(`Key ring entry ${index + 1} has a key of ${bytes ?? "no"} bytes: wanted 32`);
  return { version: Number(version), key };
}
