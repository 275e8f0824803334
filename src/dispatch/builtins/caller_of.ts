import { CallError, type OperationContext } from "@alkdev/operations";
import type { Caller } from "../../../engine/events.ts";
import { CallContext } from "../call_context.ts";

/** On whose behalf a built-in operation acts. Its own access is never more than the caller's. */
export function callerOf(context: OperationContext): Caller {
  if (context instanceof CallContext) {
    const { identity, orgId, keyId } = context.call;
    return keyId === undefined ? { identity, orgId } : { identity, orgId, keyId };
  }
  throw new CallError("EXECUTION_ERROR", "This operation can be called through the dispatcher only");
}
