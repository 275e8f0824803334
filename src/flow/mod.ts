/** Flow control: who may start now. @module */
export { createFlow } from "./flow.ts";
export { HubGate } from "./flow_gate.ts";
export type { HubGateOptions } from "./flow_gate.ts";
export { KnownRules } from "./flow_rules.ts";
export { MemoryFlowStore } from "./memory_flow_store.ts";
export { createStartGate } from "./start_gate.ts";
export { TicketDesk } from "./ticket_desk.ts";
export { createFlowWaits } from "./flow_waits.ts";
export type {
  Flow,
  FlowHub,
  FlowLimit,
  FlowRules,
  FlowStore,
  Hold,
  HoldKind,
  KeyView,
  TicketId,
  TicketNews,
  TicketRequest,
  TicketView,
} from "./ports.ts";
