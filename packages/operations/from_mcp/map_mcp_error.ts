import { CallError } from "../call_error.ts";

/** JSON-RPC code of the SDK for a request that took too long. */
const REQUEST_TIMEOUT = -32001;

/** What is thrown for a call that did not reach its tool, or was answered with an error of the protocol. */
export function mapMcpError(error: unknown, what: string, signal: AbortSignal | undefined): CallError {
  if (error instanceof CallError) return error;
  if (signal?.aborted) return new CallError("ABORTED", `${what} was aborted`);
  const reason = error instanceof Error ? error.message : String(error);
  const code = field(error, "code");
  if (code === REQUEST_TIMEOUT) return new CallError("TIMEOUT", `${what} took too long`, field(error, "data"));
  const data = field(error, "data");
  const details = typeof code === "number" ? { mcpCode: code, ...(data !== undefined && { data }) } : undefined;
  return new CallError("EXECUTION_ERROR", `${what} failed: ${reason}`, details, { cause: error });
}

function field(error: unknown, name: "code" | "data"): unknown {
  return typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined;
}
