import assert from "node:assert/strict";
import { startRedis } from "../../support/redis_server.ts";
import { postgresAvailable, testDatabase } from "../../support/test_database.ts";
import { followGuides } from "./_guide.ts";
import { MANY_HUBS } from "./groups.ts";

Deno.test({
  name: "the guide to many hubs works as written",
  ignore: !await postgresAvailable(),
  async fn(t) {
    const redis = await startRedis();
    if (redis === null) return console.log("not run: there is no redis-server");
    await using _redis = redis;
    const database = await testDatabase("postgres");
    try {
      const url = database.url ?? assert.fail("a database of the server has an address");
      await followGuides(t, MANY_HUBS, { HUB_DATABASE_URL: url, HUB_REDIS_URL: redis.url });
    } finally {
      await database.drop();
    }
  },
});
