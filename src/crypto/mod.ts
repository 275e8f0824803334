/** Secrets at rest: AES-256-GCM with versioned keys. @module */
export { decrypt, DecryptError, encrypt, generateEncryptionKey } from "./cipher.ts";
export { type EncryptedData, isEncryptedData } from "./encrypted_data.ts";
export { generateKeyRing, KeyRing, parseKeyRing, type RingKey } from "./key_ring.ts";
