import type { OperationContext } from "@alkdev/operations";
import { CallContext } from "./call_context.ts";
import { DirectCall } from "./direct_call.ts";
import type { CallOrigin } from "./ports.ts";

/** The call of a run's node that a handler carries out, or on behalf of which it was called; null: it is part of no run. */
export function originOf(context: OperationContext): CallOrigin | null {
  if (!(context instanceof CallContext)) return null;
  const { call } = context;
  if (call.runId !== "") return { runId: call.runId, nodeKey: call.nodeKey, requestId: call.requestId };
  return call instanceof DirectCall ? call.origin : null;
}
