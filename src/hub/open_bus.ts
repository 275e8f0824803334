import type { HubConfig } from "../config/mod.ts";
import type { HubBus, PeerLog } from "../peers/mod.ts";
import { createRedisBus } from "../redis/mod.ts";

/** The bus to the other hubs; null: this hub is alone. Does not wait for Redis. */
export async function openBus(
  { config, hubId, deployment, log }: {
    readonly config: HubConfig;
    readonly hubId: string;
    readonly deployment: () => Promise<string>;
    readonly log: PeerLog;
  },
): Promise<HubBus | null> {
  if (config.redisUrl === null) return null;
  if (config.databaseUrl === null) {
    log.warn("redisUrl is set, but the embedded database serves one process only: the bus is not used");
    return null;
  }
  return createRedisBus({ url: config.redisUrl, hubId, deployment: await deployment(), log });
}
