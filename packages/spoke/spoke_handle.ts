import type { ResponseEnvelope } from "@alkdev/operations";
import type { HubCallOptions } from "./hub_calls.ts";
import type { SpokeState } from "./spoke_options.ts";

/** A connected spoke. It reconnects by itself until it is closed. */
export interface SpokeHandle {
  /** Resolves when the hub has taken the registration; rejects when it refuses it for good, or when closed before. */
  readonly ready: Promise<void>;
  /** Resolves when closed or drained; rejects with the CallError by which the hub refused the registration for good. */
  readonly closed: Promise<void>;
  readonly state: SpokeState;
  /** Null before the first registration, and for a plain client always. */
  readonly spokeId: string | null;
  /** Calls an operation of the hub, with the rights of the key. Rejects with a CallError. */
  call(operationId: string, input: unknown, options?: HubCallOptions): Promise<ResponseEnvelope>;
  /** Subscribes to an operation of the hub: `hub.runEvents {runId, after?}` for one. */
  subscribe(operationId: string, input: unknown, options?: HubCallOptions): AsyncIterable<ResponseEnvelope>;
  /** Takes no new calls, finishes those it has, and closes. */
  drain(): Promise<void>;
  /** Aborts what is running and closes. */
  close(): Promise<void>;
}
