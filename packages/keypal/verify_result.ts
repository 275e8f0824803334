import type { ApiKeyRecord } from "./api_key_record.ts";
import type { KeyErrorCode } from "./key_error.ts";

/** What `verify` answers: it does not throw for a bad key. */
export type VerifyResult =
  | { readonly valid: true; readonly record: ApiKeyRecord }
  | { readonly valid: false; readonly error: string; readonly errorCode: KeyErrorCode };

const MESSAGES: Readonly<Partial<Record<KeyErrorCode, string>>> = {
  MISSING_KEY: "No API key was given",
  INVALID_FORMAT: "The API key has not the form of one",
  INVALID_KEY: "The API key is not known",
  EXPIRED: "The API key has expired",
  REVOKED: "The API key has been revoked",
  DISABLED: "The API key is disabled",
  STORAGE_ERROR: "The API key cannot be looked up now",
};

/** A refusal. The message never holds the key. */
export function refuse(errorCode: KeyErrorCode): VerifyResult {
  return { valid: false, error: MESSAGES[errorCode] ?? errorCode, errorCode };
}
