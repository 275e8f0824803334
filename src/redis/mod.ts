/** The bus between hubs, over Redis. @module */
export { createRedisBus } from "./redis_bus.ts";
export type { RedisTransportOptions } from "./redis_transport.ts";
