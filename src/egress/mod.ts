/** The guarded way out: every HTTP request that the hub makes to somebody else's address goes through here. @module */
export { createEgress, type Egress, type EgressOptions, type EgressPolicy, type ResolveHost } from "./egress.ts";
export { refusedAddress } from "./refused_address.ts";
