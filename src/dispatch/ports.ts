/** What dispatch needs from the world, and what it gives. */
import type { CallUsage, LogLevel, OperationSpec, ResponseEnvelope } from "@alkdev/operations";
import type { Caller } from "../../engine/events.ts";
import type { DispatchedCall, Dispatcher } from "../../engine/ports.ts";
import type { OperationCatalog } from "../runs/ports.ts";

/** Operations that are carried out elsewhere. Fulfilled by the pool of spokes. */
export interface RemoteOperations {
  /** `reference`: an id, or one with a version (`image.resize@1.2.0`); `labels`: that a spoke must carry (absent: any). */
  spec(orgId: string, reference: string, labels?: DispatchedCall["spoke"]): OperationSpec | undefined;
  /** Of an operation, on offer side by side; the highest first. Absent: there is never more than the one of `spec`. */
  versions?(orgId: string, operationId: string): readonly string[];
  specs(orgId: string): readonly OperationSpec[];
  /** Access and input have been checked. Rejects with a CallError. */
  call(call: DispatchedCall, spec: OperationSpec): Promise<ResponseEnvelope>;
  stream(call: DispatchedCall, spec: OperationSpec): AsyncIterable<ResponseEnvelope>;
}

/** Told what a handler says about its call while it works. Must not throw. */
export interface CallObserver {
  progress?(call: DispatchedCall, value: unknown): void;
  log?(call: DispatchedCall, level: LogLevel, message: string, data: unknown): void;
}

/** Whom handlers ask before they use tokens or money. */
export interface UsageHost {
  /** @throws CallError BUDGET_EXCEEDED */
  reserve(
    call: DispatchedCall,
    upTo: { readonly tokens?: number; readonly costMicros?: number },
  ): Promise<void>;
  /** Must not throw. */
  report(call: DispatchedCall, usage: CallUsage): void;
}

/** A call of a run's node. */
export interface CallOrigin {
  readonly runId: string;
  readonly nodeKey: string;
  readonly requestId: string;
}

/** A call from an edge: not part of a run. */
export interface DirectCallParams {
  readonly caller: Caller;
  readonly operationId: string;
  readonly input: unknown;
  /** Ends the call with `ABORTED`. */
  readonly signal?: AbortSignal;
  /** The call on behalf of which it is made. */
  readonly parentRequestId?: string;
  /** The call of a run on behalf of which it is made, however many handlers lie between. */
  readonly origin?: CallOrigin;
  /** Labels that a spoke must carry; absent: any. Never what comes over an edge. */
  readonly spoke?: Readonly<Record<string, string>>;
}

/** Operations as a caller sees them: only those that it may call. */
export interface Operations {
  list(caller: Caller): readonly OperationSpec[];
  /** Undefined: unknown, or not for this caller. */
  spec(caller: Caller, operationId: string): OperationSpec | undefined;
  /** All that are on offer of the operation that a reference names, the highest first. Empty: as `spec`. */
  versions(caller: Caller, reference: string): readonly string[];
  /** Rejects with a CallError: `OPERATION_NOT_FOUND`, `ACCESS_DENIED`, `VALIDATION_ERROR`, `TIMEOUT`, or the operation's own. */
  call(params: DirectCallParams): Promise<ResponseEnvelope>;
  /** A subscription. @throws {CallError} at the first step, or when it breaks off */
  stream(params: DirectCallParams): AsyncIterable<ResponseEnvelope>;
}

/** The one place that knows where an operation is carried out. */
export interface HubDispatcher extends Dispatcher, OperationCatalog {
  /** For the edges. */
  readonly operations: Operations;
}
