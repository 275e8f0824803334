/** The other hubs of a deployment: who is there, what they offer, and what they are asked. @module */
export { offerOf } from "./hub_offer.ts";
export type { HubOffer } from "./hub_offer.ts";
export { LiveRelay } from "./live_relay.ts";
export type { LiveRelayOptions, LiveSource } from "./live_relay.ts";
export { MemoryExchange } from "./memory_bus.ts";
export { createMessageBus } from "./message_bus.ts";
export { PeerOperations } from "./peer_operations.ts";
export type { PeerOperationsOptions } from "./peer_operations.ts";
export { ALL_HUBS, PeerUnreachableError } from "./ports.ts";
export type { BusState, BusTransport, HubBus, PeerLog, PeerRequest, Unreachable } from "./ports.ts";
export { Presence } from "./presence.ts";
export type { PresenceOptions } from "./presence.ts";
export { createRunOwners } from "./run_owners.ts";
export type { RunOwnersOptions } from "./run_owners.ts";
export { RunWatch } from "./run_watch.ts";
export type { RunWatchOptions } from "./run_watch.ts";
export { ServedCalls } from "./served_calls.ts";
