import type { DispatchedCall } from "../../engine/ports.ts";
import { type Envelope, envelope } from "./envelope.ts";
import type { CallLabels, CallSink } from "./ports.ts";
import type { OfferedOperation } from "./offered_operation.ts";
import type { Spoke } from "./spoke.ts";

/** One call on its way through a spoke: queued (`spoke` is null) or sent. Settled once, by the router. */
export class RemoteCall {
  readonly call: DispatchedCall;
  readonly operation: OfferedOperation;
  /** Null: it names none. */
  readonly version: string | null;
  readonly sink: CallSink;
  readonly streaming: boolean;
  /** Rises with each submission: of two queued calls the lower is older. */
  readonly order: number;
  spoke: Spoke | null = null;
  /** A spoke that had it is gone. */
  lost = false;
  /** Detaches the abort listener and the deadline's timer. */
  detach: () => void = () => {};

  constructor(
    params: Pick<RemoteCall, "call" | "operation" | "version" | "sink" | "streaming" | "order">,
  ) {
    this.call = params.call;
    this.operation = params.operation;
    this.version = params.version;
    this.sink = params.sink;
    this.streaming = params.streaming;
    this.order = params.order;
  }

  get labels(): CallLabels {
    return this.call.spoke;
  }
}

/**
 * What the spoke is sent: the same each time, so that it can tell a re-send by its `requestId`. It offers one version of an
 * operation, and is asked for it by its id.
 */
export function requestOf({ call, operation: { id: operationId } }: RemoteCall): Envelope {
  const { traceparent } = call;
  const { requestId, input, parentRequestId, deadline, identity, runId, nodeKey, attempt } = call;
  const inRun = runId === "" ? {} : { runId, nodeKey, attempt };
  return envelope("call.requested", {
    requestId,
    operationId,
    input,
    ...(parentRequestId === "" ? {} : { parentRequestId }),
    ...(deadline === null ? {} : { deadline }),
    identity,
    metadata: traceparent === undefined ? inRun : { ...inRun, traceparent },
  });
}

/** Field by field: the call may be an instance whose getters do not survive another prototype. */
export function withSignal(call: DispatchedCall, signal: AbortSignal): DispatchedCall {
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
    signal,
  };
}
