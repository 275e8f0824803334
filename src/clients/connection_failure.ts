import { CallError } from "@alkdev/operations";

const UNSENT: ReadonlySet<unknown> = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN"]);

/** Whether the way out failed, and not what is at its end. */
export function isConnectionFailure(error: unknown): error is CallError {
  return error instanceof CallError && error.code === "EXECUTION_ERROR" && error.details === undefined;
}

/** Whether not even a connection was made. */
export function isUnsent(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if ("code" in at && UNSENT.has(at.code)) return true;
  return false;
}
