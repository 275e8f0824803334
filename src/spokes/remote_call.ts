import type { Identity } from "@alkdev/operations";
import type { AbortListener, DispatchedCall } from "../../engine/ports.ts";
import type { CallLabels, CallSink } from "./ports.ts";
import type { OfferedOperation } from "./offered_operation.ts";
import type { Spoke } from "./spoke.ts";

/** Whom a call tells that it is to end. */
export interface CallOwner {
  abort(remote: RemoteCall, reason: unknown): void;
}

/** One call on its way through a spoke: queued (`spoke` is null) or sent. Settled once, by the router. */
export class RemoteCall implements AbortListener {
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
  isSettled = false;
  /** Null: there is no deadline. */
  cancelDeadline: (() => void) | null = null;
  readonly #owner: CallOwner;
  #unlisten: (() => void) | null = null;

  constructor(
    owner: CallOwner,
    params: Pick<RemoteCall, "call" | "operation" | "version" | "sink" | "streaming" | "order">,
  ) {
    this.#owner = owner;
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

  aborted(reason: unknown): void {
    this.#owner.abort(this, reason);
  }

  /** Hears of the call's abort from now on. */
  listen(): void {
    const { call } = this;
    if (call.onAbort !== undefined) return call.onAbort(this);
    const { signal } = call;
    if (signal.aborted) return this.aborted(signal.reason);
    const onAbort = (): void => this.aborted(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    this.#unlisten = () => signal.removeEventListener("abort", onAbort);
  }

  /** Hears of nothing any more: neither of its abort nor of its deadline. */
  detach(): void {
    this.isSettled = true;
    this.call.onAbort?.(null);
    this.#unlisten?.();
    this.cancelDeadline?.();
  }
}

/** Of identities, which all calls of a run share. */
const identityTexts = new WeakMap<Identity, string>();

/**
 * What the spoke is sent, as JSON: the same each time, so that it can tell a re-send by its `requestId`. It offers one version
 * of an operation, and is asked for it by its id. Written out: half of a hub's work for a call is this text and its answer.
 *
 * @throws {TypeError} when the input has no JSON form
 */
export function requestText({ call, operation }: RemoteCall): string {
  const { requestId, input, parentRequestId, deadline, identity, runId, nodeKey, attempt, traceparent } = call;
  // Undefined for what has no JSON form, as a handler may pass on.
  const inputText: string | undefined = JSON.stringify(input);
  const given = inputText === undefined ? "" : `,"input":${inputText}`;
  const parent = parentRequestId === "" ? "" : `,"parentRequestId":${JSON.stringify(parentRequestId)}`;
  const until = deadline === null ? "" : `,"deadline":${deadline}`;
  const run = runId === ""
    ? ""
    : `"runId":${JSON.stringify(runId)},"nodeKey":${JSON.stringify(nodeKey)},"attempt":${attempt}`;
  const trace = traceparent === undefined ? "" : `${run === "" ? "" : ","}"traceparent":${JSON.stringify(traceparent)}`;
  return `{"type":"call.requested","id":"","payload":{"requestId":${JSON.stringify(requestId)},"operationId":` +
    `${operation.idText}${given}${parent}${until},"identity":${identityText(identity)},"metadata":{${run}${trace}}}}`;
}

function identityText(identity: Identity): string {
  let text = identityTexts.get(identity);
  if (text === undefined) identityTexts.set(identity, text = JSON.stringify(identity));
  return text;
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
