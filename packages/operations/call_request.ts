import type { CallRequestedEvent } from "./call_events.ts";
import { isResponseEnvelope } from "./envelope.ts";
import type { Identity } from "./identity.ts";
import type { ResponseEnvelope } from "./response_envelope.ts";

/** What any request may carry. */
export interface RequestOptions {
  /** Default: a random UUID. A re-send carries the id of the first. */
  readonly requestId?: string;
  readonly parentRequestId?: string;
  readonly identity?: Identity;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** What may be said with a call. */
export interface CallOptions extends RequestOptions {
  /** When to stop waiting, in ms since the epoch. */
  readonly deadline?: number;
}

/** What may be said with a subscription. */
export interface SubscribeOptions extends RequestOptions {
  /** How long to wait from one response to the next, in ms. */
  readonly idleTimeout?: number;
}

/** The event that makes a request; what is not given is absent, so that it is absent in JSON and after it. */
export function toRequest(
  operationId: string,
  input: unknown,
  options: RequestOptions,
  limits: { readonly deadline?: number; readonly idleTimeout?: number },
): CallRequestedEvent {
  const { requestId = crypto.randomUUID(), parentRequestId, identity, metadata } = options;
  return {
    requestId,
    operationId,
    input,
    ...limits,
    ...(parentRequestId === undefined ? {} : { parentRequestId }),
    ...(identity === undefined ? {} : { identity }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

/** The output of a response, with the undefined data that JSON has dropped put back. */
export function readEnvelope(payload: object): ResponseEnvelope | undefined {
  if (!("output" in payload)) return undefined;
  const { output } = payload;
  if (isResponseEnvelope(output)) return output;
  const restored = typeof output === "object" ? { data: undefined, ...output } : undefined;
  return isResponseEnvelope(restored) ? restored : undefined;
}
