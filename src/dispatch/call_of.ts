import type { OperationContext } from "@alkdev/operations";
import type { DispatchedCall } from "../../engine/ports.ts";
import { CallContext } from "./call_context.ts";

/** The call that a handler carries out, with its caller and its place in a run; null: not one of the dispatcher's. */
export function callOf(context: OperationContext): DispatchedCall | null {
  return context instanceof CallContext ? context.call : null;
}
