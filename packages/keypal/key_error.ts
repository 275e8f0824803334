/** Why a key was refused or could not be changed. */
export type KeyErrorCode =
  | "MISSING_KEY"
  | "INVALID_FORMAT"
  | "INVALID_KEY"
  | "EXPIRED"
  | "REVOKED"
  | "DISABLED"
  | "STORAGE_ERROR"
  | "CACHE_ERROR"
  | "ALREADY_REVOKED"
  | "ALREADY_ENABLED"
  | "ALREADY_DISABLED"
  | "CANNOT_MODIFY_REVOKED"
  | "KEY_NOT_FOUND"
  | "AUDIT_LOGGING_DISABLED"
  | "STORAGE_NOT_SUPPORTED";

/** Thrown by the manager's changes; `verify` answers its code instead. */
export class KeyError extends Error {
  readonly code: KeyErrorCode;

  constructor(code: KeyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "KeyError";
    this.code = code;
  }
}
