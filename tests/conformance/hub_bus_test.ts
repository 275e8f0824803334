import { type HubBus, MemoryExchange } from "../../src/peers/mod.ts";
import { createRedisBus } from "../../src/redis/mod.ts";
import { startRedis } from "../support/redis_server.ts";
import { hubBusConformance } from "./hub_bus.ts";

hubBusConformance("memory", () => {
  const exchange = new MemoryExchange();
  return Promise.resolve({
    bus: (hubId: string) => Promise.resolve(exchange.bus(hubId)),
    setUp: (isUp: boolean) => Promise.resolve(exchange.setUp(isUp)),
    close: () => Promise.resolve(),
  });
});

function reaches(bus: HubBus, wanted: string): Promise<void> {
  if (bus.state() === wanted) return Promise.resolve();
  return new Promise((resolve) => {
    const cancel = bus.onState((state) => {
      if (state !== wanted) return;
      cancel();
      resolve();
    });
  });
}

const probe = await startRedis();
await probe?.[Symbol.asyncDispose]();
if (probe === null) console.log("There is no redis-server: the Redis bus is not tested");
else {
  hubBusConformance("redis", async () => {
    const redis = (await startRedis())!;
    const buses: HubBus[] = [];
    return {
      async bus(hubId) {
        const bus = createRedisBus({ url: redis.url, hubId, deployment: "test" });
        buses.push(bus);
        await reaches(bus, "connected");
        return bus;
      },
      async setUp(isUp) {
        if (isUp) await redis.start();
        else await redis.kill();
        const open = buses.filter((bus) => bus.state() !== "closed");
        await Promise.all(open.map((bus) => reaches(bus, isUp ? "connected" : "away")));
      },
      async close() {
        await Promise.all(buses.map((bus) => bus.close()));
        await redis[Symbol.asyncDispose]();
      },
    };
  });
}
