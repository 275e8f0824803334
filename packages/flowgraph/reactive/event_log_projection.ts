import type { CallResult } from "../schema/attributes.ts";
import type { CallEventMapValue } from "../schema/call_event.ts";
import type { NodeStatus } from "../schema/enums.ts";

/** Status and result of nodes as projections of an append-only log of call events. */
export interface EventLogProjection {
  /** Appends an event; the same event twice changes nothing. */
  append(event: CallEventMapValue): void;
  getStatus(nodeKey: string): NodeStatus;
  /** Null until the node's latest call has ended. */
  getResult(nodeKey: string): CallResult | null;
  /** Events of all calls of the node, in order of appending. */
  getEvents(nodeKey: string): readonly CallEventMapValue[];
}
