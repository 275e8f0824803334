import { CallError } from "@alkdev/operations";
import type { DispatchedCall } from "../../engine/ports.ts";
import { SpokeLostError } from "./spoke_lost_error.ts";

export function abortError(reason: unknown): CallError {
  return reason instanceof CallError ? reason : new CallError("ABORTED", "Call was aborted by its caller");
}

export function lostError(call: DispatchedCall): SpokeLostError {
  const { requestId, operationId } = call;
  const message = `Spoke of call "${requestId}" was lost, and no other offers operation "${operationId}"`;
  return new SpokeLostError(message, operationId);
}

export function notOffered({ operationId, spoke }: DispatchedCall): CallError {
  const labels = spoke === null ? "" : ` with labels ${JSON.stringify(spoke)}`;
  return new CallError("OPERATION_NOT_FOUND", `No connected spoke${labels} offers operation "${operationId}"`, {
    operationId,
  });
}

export function toCallError({ code, message, details }: Readonly<Record<string, unknown>>): CallError {
  return new CallError(
    typeof code === "string" && code !== "" ? code.slice(0, 200) : "UNKNOWN_ERROR",
    typeof message === "string" ? message : "The spoke gave no message",
    details,
  );
}
