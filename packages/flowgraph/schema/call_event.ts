import type { Identity } from "@alkdev/operations";
import type { CallFailure } from "./attributes.ts";

/** A call event as graphs and projections take it: with a timestamp (ISO 8601), and the error nested. */
export type CallEventMapValue =
  | {
    readonly type: "call.requested";
    readonly requestId: string;
    readonly operationId: string;
    readonly input: unknown;
    readonly parentRequestId?: string;
    readonly identity?: Identity;
    readonly timestamp: string;
  }
  | {
    readonly type: "call.responded";
    readonly requestId: string;
    readonly output: unknown;
    readonly timestamp: string;
  }
  | {
    readonly type: "call.completed";
    readonly requestId: string;
    readonly output?: unknown;
    readonly timestamp: string;
  }
  | { readonly type: "call.aborted"; readonly requestId: string; readonly timestamp: string }
  | {
    readonly type: "call.error";
    readonly requestId: string;
    readonly error: CallFailure;
    readonly timestamp: string;
  };
