import type { CallError, ResponseEnvelope } from "@alkdev/operations";
import type { DispatchedCall } from "../../engine/ports.ts";
import { toWireError } from "./message_bus.ts";

/** A call on its way to another hub: all of it but the signal. */
export type WireCall = Omit<DispatchedCall, "signal"> & { readonly streaming: boolean };

/** Field by field: the call may be an instance whose getters do not reach JSON. */
export function toWireCall(call: DispatchedCall, streaming: boolean): WireCall {
  const { requestId, operationId, input, identity, orgId, runId, nodeKey, attempt, parentRequestId, deadline, spoke } =
    call;
  const { traceparent } = call;
  return {
    requestId,
    operationId,
    input,
    identity,
    orgId,
    runId,
    nodeKey,
    attempt,
    parentRequestId,
    deadline,
    spoke,
    ...(traceparent !== undefined && { traceparent }),
    streaming,
  };
}

/** What the answering hub says about a call. `n` counts the messages of one stream from 0. */
export type CallOutcome =
  | { readonly requestId: string; readonly type: "responded"; readonly output: ResponseEnvelope; readonly n: number }
  | { readonly requestId: string; readonly type: "completed"; readonly n: number }
  | { readonly requestId: string; readonly type: "error"; readonly error: ReturnType<typeof toWireError> }
  /** That hub cannot carry it out (any more): another one may, or the same one later. */
  | { readonly requestId: string; readonly type: "lost" };

export function errorOutcome(requestId: string, error: CallError | unknown): CallOutcome {
  return { requestId, type: "error", error: toWireError(error) };
}

/** JSON drops a `data` that is undefined. */
export function reviveOutput(output: ResponseEnvelope): ResponseEnvelope {
  return "data" in output ? output : { data: undefined, ...(output as Omit<ResponseEnvelope, "data">) };
}
