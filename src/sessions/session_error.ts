import { CallError } from "@alkdev/operations";
import type { Session } from "./session.ts";

export function sessionNotFound(sessionId: string): CallError {
  return new CallError("SESSION_NOT_FOUND", `There is no session "${sessionId}"`, { sessionId });
}

export function messageNotFound(sessionId: string, messageId: string): CallError {
  return new CallError("MESSAGE_NOT_FOUND", `Session "${sessionId}" has no message "${messageId}"`, {
    sessionId,
    messageId,
  });
}

/** What is asked waits for no turn. */
export function sessionBusy({ id, status }: Session, what: string): CallError {
  return new CallError("SESSION_BUSY", `Cannot ${what} session "${id}" while it is ${status}: stop it, or wait`, {
    sessionId: id,
    status,
  });
}

export function invalid(path: string, message: string): CallError {
  return new CallError("VALIDATION_ERROR", message, { errors: [{ path, message }] });
}
