/** The other hubs of a deployment: who is there, what they offer, and what they are asked. @module */
export { MemoryExchange } from "./memory_bus.ts";
export { createMessageBus } from "./message_bus.ts";
export { ALL_HUBS, PeerUnreachableError } from "./ports.ts";
export type { BusState, BusTransport, HubBus, PeerLog, PeerRequest, Unreachable } from "./ports.ts";
