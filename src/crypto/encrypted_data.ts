/** A secret at rest. `salt` (32 bytes), `iv` (12) and `data` (the ciphertext, then its 16-byte tag) are base64. */
export interface EncryptedData {
  /** Which key of the ring opens it. */
  readonly keyVersion: number;
  readonly salt: string;
  readonly iv: string;
  readonly data: string;
}

/** Whether `value` has the shape of {@linkcode EncryptedData}; says nothing of whether it can be opened. */
export function isEncryptedData(value: unknown): value is EncryptedData {
  return typeof value === "object" && value !== null &&
    "keyVersion" in value && Number.isInteger(value.keyVersion) &&
    "salt" in value && typeof value.salt === "string" &&
    "iv" in value && typeof value.iv === "string" &&
    "data" in value && typeof value.data === "string";
}
