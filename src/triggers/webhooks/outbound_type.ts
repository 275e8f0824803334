import type { RunEvent } from "../../runs/mod.ts";
import { OUTBOUND_EVENTS, type OutboundEvent } from "./webhook.ts";

/** What an event of the log goes out as; null: it does not. */
export function outboundType(event: RunEvent): OutboundEvent | null {
  if (event.type === "call.error") return event.retryAt === null ? "node.failed" : null;
  return isOutbound(event.type) ? event.type : null;
}

function isOutbound(type: string): type is OutboundEvent {
  return (OUTBOUND_EVENTS as readonly string[]).includes(type);
}
