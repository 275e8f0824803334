import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { createKeys } from "../mod.ts";
import { AUDIT_CHECKS, STORAGE_CHECKS } from "../storage_conformance.ts";
import { RedisCache, RedisStorage } from "./mod.ts";

const url = new URL(Deno.env.get("HUB_TEST_REDIS_URL") ?? "redis://127.0.0.1:6379");
const answers = await Deno.connect({ hostname: url.hostname, port: Number(url.port || 6379) }).then(
  (connection) => {
    connection.close();
    return true;
  },
  () => false,
);
if (!answers) console.log(`Keys in Redis: tests on a server are skipped, as none answers at ${url.host}`);

/** A connection and a prefix that nobody else has; what was written under it is taken away. */
function redisTest(name: string, run: (redis: Redis, prefix: string) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !answers,
    async fn() {
      const redis = new Redis(url.href, { lazyConnect: true });
      await redis.connect();
      const prefix = `{keypal-test:${crypto.randomUUID()}}:`;
      try {
        await run(redis, prefix);
      } finally {
        const left = await redis.keys(`${prefix}*`);
        if (left.length > 0) await redis.del(...left);
        const ended = new Promise((resolve) => redis.once("end", resolve));
        await redis.quit();
        await ended;
      }
    },
  });
}

for (const { name, run } of [...STORAGE_CHECKS, ...AUDIT_CHECKS]) {
  redisTest(`RedisStorage: ${name}`, (client, prefix) => run(new RedisStorage({ client, prefix })));
}

redisTest("RedisStorage leaves nothing behind when its keys are deleted", async (client, prefix) => {
  const storage = new RedisStorage({ client, prefix });
  const keys = createKeys({ storage, prefix: "t_" });
  const { record } = await keys.create({ ownerId: "ada", orgId: "o1", tags: ["x", "y"] });
  await keys.create({ ownerId: "ada" });
  await storage.updateMetadata(record.id, { tags: ["z"] });
  await storage.deleteByOwner("ada");
  assert.deepEqual(await client.keys(`${prefix}*`), []);
});

redisTest("RedisStorage reads more logs than fit in one page", async (client, prefix) => {
  const storage = new RedisStorage({ client, prefix });
  const timestamp = "2026-01-01T00:00:00.000Z";
  await Promise.all(Array.from({ length: 1_001 }, (_, i) => {
    const action = i % 2 === 0 ? "enabled" : "disabled";
    return storage.saveLog({ id: String(i), action, keyId: "k", ownerId: "ada", timestamp });
  }));
  const found = await storage.findLogs({ action: "enabled", offset: 1, limit: 400 });
  assert.deepEqual(found.map(({ id }) => Number(id)), Array.from({ length: 400 }, (_, i) => 998 - 2 * i));
  assert.equal(await storage.deleteLogs({ action: "disabled" }), 500);
  assert.equal(await storage.countLogs({}), 501);
});

redisTest("createKeys() keeps keys and their cache in the Redis it is given", async (redis, prefix) => {
  const config = { storage: "redis", cache: "redis", redis, redisPrefix: prefix, prefix: "t_", cacheTtl: 30 } as const;
  const [here, there] = [createKeys(config), createKeys(config)];
  const { key, record } = await here.create({ ownerId: "ada", scopes: ["run:read"] });
  const result = await there.verify(key, { skipTracking: true });
  assert.deepEqual(result, { valid: true, record });
  const cached = `${prefix}apikey:${here.hashKey(key)}`;
  assert.equal(await redis.get(cached), record.id);
  const left = await redis.pttl(cached);
  assert.ok(left > 0 && left <= 30_000, `${left} ms`);
  await here.revoke(record.id);
  const refused = await there.verify(key);
  assert.equal(refused.valid ? null : refused.errorCode, "REVOKED");
});

redisTest("RedisCache forgets, and takes times that Redis would refuse", async (client, prefix) => {
  const cache = new RedisCache(client, prefix);
  await cache.set("a", "1", 60);
  assert.equal(await cache.get("a"), "1");
  await cache.del("a");
  assert.equal(await cache.get("a"), null);
  await cache.set("b", "1", 0);
  assert.ok(await client.pttl(`${prefix}b`) <= 1);
});

Deno.test("createKeys() says what is missing when Redis is asked for without one", () => {
  assert.throws(() => createKeys({ storage: "redis" }), /"redis"/);
  assert.throws(() => createKeys({ cache: "redis" }), /"redis"/);
});
