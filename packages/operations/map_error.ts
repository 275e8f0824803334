import { CallError, InfrastructureErrorCode } from "./call_error.ts";
import type { ErrorDefinition } from "./operation_spec.ts";

/**
 * Makes a {@linkcode CallError} of anything thrown. An `Error` becomes a declared error when its `code` is that code, or its
 * message is the code or starts with `"CODE:"`; any other becomes `EXECUTION_ERROR`, and what is no `Error`
 * `UNKNOWN_ERROR`. `details` are JSON; the thrown thing itself stays as `cause`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { mapError } from "@alkdev/operations";
 *
 * const declared = [{ code: "BUSY", description: "Come back later.", schema: {} }];
 * assert.equal(mapError(new Error("BUSY: all lines are taken"), declared).code, "BUSY");
 * assert.equal(mapError(new Error("Something else"), declared).code, "EXECUTION_ERROR");
 * ```
 */
export function mapError(error: unknown, errorSchemas: readonly ErrorDefinition[] = []): CallError {
  if (error instanceof CallError) return error;
  if (!(error instanceof Error)) {
    return new CallError(InfrastructureErrorCode.UNKNOWN_ERROR, `Something other than an error was thrown`, {
      raw: toJson(error),
    }, { cause: error });
  }
  const own = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const declared = errorSchemas.find(({ code }) =>
    code === own || error.message === code || error.message.startsWith(`${code}:`)
  );
  const code = declared?.code ?? InfrastructureErrorCode.EXECUTION_ERROR;
  const details = declared !== undefined && "details" in error
    ? toJson(error.details)
    : { name: error.name, message: error.message };
  return new CallError(code, error.message, details, { cause: error });
}

/** What JSON keeps of a value; its text when it has no JSON form. */
function toJson(value: unknown): unknown {
  try {
    const text = JSON.stringify(value);
    return text === undefined ? String(value) : JSON.parse(text);
  } catch {
    return String(value);
  }
}
