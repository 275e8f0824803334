/** Offers operations to a hub, from any runtime with a WebSocket. @module */
export { connectSpoke } from "./connect_spoke.ts";
export type { SpokeHandle } from "./spoke_handle.ts";
export type { HubCallOptions } from "./hub_calls.ts";
export type {
  SocketConstructor,
  SocketLike,
  SpokeClock,
  SpokeOperation,
  SpokeOptions,
  SpokeState,
} from "./spoke_options.ts";
