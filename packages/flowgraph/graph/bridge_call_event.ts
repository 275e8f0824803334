import type { CallEventMap } from "@alkdev/operations";
import type { CallEventMapValue } from "../schema/call_event.ts";

/** One of the five events as it travels: its type and its payload; an envelope of `@alkdev/pubsub` is one. */
type ProtocolEvent = {
  readonly [TType in keyof CallEventMap]: { readonly type: TType; readonly payload: CallEventMap[TType] };
}[keyof CallEventMap];

/**
 * An event of the call protocol as graphs and projections take it. `@alkdev/operations` has no timestamps, tells an error flat
 * and answers in envelopes; here an event has the time of its receipt, the error nested, and the envelope's data.
 *
 * @param receivedAt ISO 8601
 *
 * @example
 * ```ts
 * import { bridgeCallEvent, FlowGraph } from "@alkdev/flowgraph/graph";
 *
 * const at = "2026-01-01T00:00:00.000Z";
 * const asked = { requestId: "r1", operationId: "math.double", input: 2 };
 * const graph = FlowGraph.fromCallEvents([
 *   bridgeCallEvent({ type: "call.requested", payload: asked }, at),
 *   bridgeCallEvent({ type: "call.error", payload: { requestId: "r1", code: "TIMEOUT", message: "Too late" } }, at),
 * ]);
 * console.assert(graph.getNodeAttributes("r1").error?.code === "TIMEOUT");
 * ```
 */
export function bridgeCallEvent(event: ProtocolEvent, receivedAt: string): CallEventMapValue {
  const base = { requestId: event.payload.requestId, timestamp: receivedAt };
  switch (event.type) {
    case "call.requested": {
      const { operationId, input, parentRequestId, identity } = event.payload;
      return {
        type: event.type,
        ...base,
        operationId,
        input,
        ...(parentRequestId !== undefined && { parentRequestId }),
        ...(identity !== undefined && { identity }),
      };
    }
    case "call.responded":
      return { type: event.type, ...base, output: event.payload.output.data };
    case "call.error": {
      const { code, message, details } = event.payload;
      return { type: event.type, ...base, error: { code, message, ...(details !== undefined && { details }) } };
    }
    case "call.completed":
    case "call.aborted":
      return { type: event.type, ...base };
  }
}
