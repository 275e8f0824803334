import { MissingRequiredClientCapabilityError, ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import { CallError } from "@alkdev/operations";
import type { McpDeps } from "./ports.ts";
import { TASKS_EXTENSION } from "./session_context.ts";

/** Numbers of JSON-RPC for the codes of calls; others are -32603 where they are ours to blame, else -32602. */
const NUMBERS: Readonly<Record<string, number>> = {
  VALIDATION_ERROR: ProtocolErrorCode.InvalidParams,
  ACCESS_DENIED: ProtocolErrorCode.InvalidRequest,
};

/** A call's error as an error of the protocol, its stable code in `data`. Anything else is told to the log and hidden. */
export function toProtocolError(error: unknown, log: McpDeps["log"], what: string): ProtocolError {
  if (error instanceof ProtocolError) return error;
  if (error instanceof CallError) {
    const { code, message, details } = error;
    return new ProtocolError(NUMBERS[code] ?? ProtocolErrorCode.InvalidParams, message, {
      code,
      ...(details !== undefined && { details }),
    });
  }
  return new ProtocolError(ProtocolErrorCode.InternalError, hidden(error, log, what));
}

/** Logs what must not be shown; gives the text that names it. */
export function hidden(error: unknown, log: McpDeps["log"], what: string): string {
  const id = crypto.randomUUID();
  log.error(`MCP request failed: {what}`, { what, id, error: error instanceof Error ? error.stack : String(error) });
  return `The hub failed: error ${id} in its log`;
}

/** What a client that does not know tasks is told. */
export function tasksMissing(): ProtocolError {
  return new MissingRequiredClientCapabilityError({
    requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } },
  });
}
