import { createMessageBus, type HubBus } from "../peers/mod.ts";
import { RedisTransport, type RedisTransportOptions } from "./redis_transport.ts";

/** Returns at once; the bus is `away` until Redis answers. */
export function createRedisBus(options: RedisTransportOptions): HubBus {
  return createMessageBus({
    hubId: options.hubId,
    transport: new RedisTransport(options),
    ...(options.log !== undefined && { log: options.log }),
  });
}
