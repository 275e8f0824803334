import { type TUnsafe, Type } from "@alkdev/typebox";
import type { Identity } from "./identity.ts";
import type { ResponseEnvelope } from "./response_envelope.ts";
import { IdentitySchema, ResponseEnvelopeSchema } from "./schemas.ts";
import { schemaOf } from "./schema_of.ts";

/** A caller asks. */
export interface CallRequestedEvent {
  readonly requestId: string;
  readonly operationId: string;
  readonly input?: unknown;
  readonly parentRequestId?: string;
  /** For calls: when the caller stops waiting, in ms since the epoch. */
  readonly deadline?: number;
  /** For subscriptions: how long the caller waits from one response to the next, in ms. */
  readonly idleTimeout?: number;
  readonly identity?: Identity;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** The answer of a call, or one value of a subscription. */
export interface CallRespondedEvent {
  readonly requestId: string;
  readonly output: ResponseEnvelope;
}

/** A subscription has given its last value. Calls end with their response. */
export interface CallCompletedEvent {
  readonly requestId: string;
}

/** Nobody wants the answer any more. */
export interface CallAbortedEvent {
  readonly requestId: string;
}

/** The call has failed. */
export interface CallErrorEvent {
  readonly requestId: string;
  readonly code: string;
  readonly message: string;
  readonly details?: unknown;
}

/** Event type -> payload. All of them are published with the id `""`; `requestId` correlates. */
export interface CallEventMap {
  readonly "call.requested": CallRequestedEvent;
  readonly "call.responded": CallRespondedEvent;
  readonly "call.completed": CallCompletedEvent;
  readonly "call.aborted": CallAbortedEvent;
  readonly "call.error": CallErrorEvent;
}

/** Any of the five payloads. */
export type CallEventMapValue = CallEventMap[keyof CallEventMap];

/** Event type -> schema of its payload. */
export const CallEventMap: { readonly [TType in keyof CallEventMap]: TUnsafe<CallEventMap[TType]> } = {
  "call.requested": schemaOf<CallRequestedEvent>()(Type.Object({
    requestId: Type.String({ minLength: 1 }),
    operationId: Type.String(),
    input: Type.Optional(Type.Unknown()),
    parentRequestId: Type.Optional(Type.String()),
    deadline: Type.Optional(Type.Number({ description: "When the caller stops waiting, in ms since the epoch." })),
    idleTimeout: Type.Optional(Type.Number({ description: "Longest wait between two responses, in ms." })),
    identity: Type.Optional(IdentitySchema),
    metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  })),
  "call.responded": schemaOf<CallRespondedEvent>()(
    Type.Object({ requestId: Type.String(), output: ResponseEnvelopeSchema }),
  ),
  "call.completed": schemaOf<CallCompletedEvent>()(Type.Object({ requestId: Type.String() })),
  "call.aborted": schemaOf<CallAbortedEvent>()(Type.Object({ requestId: Type.String() })),
  "call.error": schemaOf<CallErrorEvent>()(Type.Object({
    requestId: Type.String(),
    code: Type.String(),
    message: Type.String(),
    details: Type.Optional(Type.Unknown()),
  })),
};
