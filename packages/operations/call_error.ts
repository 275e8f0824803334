/** The codes any call can end with. Domain codes are free strings beside these. */
export const InfrastructureErrorCode = {
  OPERATION_NOT_FOUND: "OPERATION_NOT_FOUND",
  ACCESS_DENIED: "ACCESS_DENIED",
  VALIDATION_ERROR: "VALIDATION_ERROR",
  TIMEOUT: "TIMEOUT",
  ABORTED: "ABORTED",
  EXECUTION_ERROR: "EXECUTION_ERROR",
  UNKNOWN_ERROR: "UNKNOWN_ERROR",
} as const;
/** One of {@linkcode InfrastructureErrorCode}'s values. */
export type InfrastructureErrorCode = typeof InfrastructureErrorCode[keyof typeof InfrastructureErrorCode];

/** The only error family that crosses the wire. `code` is stable; `details` is JSON. */
export class CallError extends Error {
  readonly code: string;
  readonly details?: unknown;

  constructor(code: string, message: string, details?: unknown, options?: ErrorOptions) {
    super(message, options);
    this.name = "CallError";
    this.code = code;
    if (details !== undefined) this.details = details;
  }
}
