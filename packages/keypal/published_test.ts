/** What the published package promises, by the sections of its reference (13.1 to 13.3). keys_test.ts goes deeper. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  type ApiKeyManagerConfig,
  createKeys,
  createResourceBuilder,
  extractKeyFromHeaders,
  getExpirationTime,
  hasApiKey,
  isExpired,
  MemoryCache,
  MemoryStorage,
  ResourceBuilder,
} from "./mod.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** A manager with a storage and a cache that say what they are asked. */
function watched(config: ApiKeyManagerConfig = {}) {
  const log: string[] = [];
  const [storage, cache] = [new MemoryStorage(), new MemoryCache()];
  const find = storage.findByHash.bind(storage);
  storage.findByHash = (hash) => {
    log.push("findByHash");
    return find(hash);
  };
  const byId = storage.findById.bind(storage);
  storage.findById = (id) => {
    log.push("findById");
    return byId(id);
  };
  const keys = createKeys({ prefix: "p_", storage, cache, autoTrackUsage: false, auditLogs: true, ...config });
  return { keys, storage, cache, log };
}

Deno.test("13.1: the manager has the published methods", () => {
  const keys = createKeys();
  const methods = [
    "generateKey hashKey validateKey extractKey hasKey verify verifyFromHeaders create findByHash findById findByTag",
    "findByTags list revoke revokeAll enable disable rotate updateLastUsed getLogs countLogs deleteLogs clearLogs",
    "getLogStats invalidateCache isExpired hasScope hasAnyScope hasAllScopes checkResourceScope checkResourceAnyScope",
    "checkResourceAllScopes",
  ].join(" ").split(" ");
  assert.equal(methods.length, 32);
  for (const method of methods) assert.equal(typeof Reflect.get(keys, method), "function", method);
});

Deno.test("13.1: a key has 32 characters of A-Za-z0-9 after its prefix, unless told otherwise", () => {
  assert.match(createKeys().generateKey(), /^[A-Za-z0-9]{32}$/);
  assert.match(createKeys({ prefix: "k_", length: 5, alphabet: "xy" }).generateKey(), /^k_[xy]{5}$/);
});

Deno.test("13.1: headers are authorization, then x-api-key, with or without Bearer", async () => {
  const both = new Headers({ authorization: "Bearer p_a", "x-api-key": "p_b" });
  assert.equal(extractKeyFromHeaders(both), "p_a");
  assert.equal(extractKeyFromHeaders(both, { headerNames: ["x-api-key"] }), "p_b");
  assert.equal(extractKeyFromHeaders({ authorization: "Bearer p_a" }, { extractBearer: false }), "Bearer p_a");
  assert.deepEqual([hasApiKey(both), hasApiKey({})], [true, false]);
  const { keys } = watched();
  const { key, record } = await keys.create({ ownerId: "ada" });
  assert.deepEqual(await keys.verifyFromHeaders({ "X-API-Key": key }), { valid: true, record });
  assert.deepEqual(await keys.verify({ "x-mine": key }, { headerNames: ["x-mine"] }), { valid: true, record });
  assert.ok((await keys.verify(`Bearer ${key}`)).valid);
});

Deno.test("13.1: free functions and the builder of resources", () => {
  const past = "2020-01-01T00:00:00.000Z";
  assert.deepEqual([isExpired(past), isExpired(null), isExpired("2999-01-01T00:00:00Z")], [true, false, false]);
  assert.deepEqual([getExpirationTime(past)?.toISOString(), getExpirationTime(null)], [past, null]);
  assert.ok(createResourceBuilder() instanceof ResourceBuilder);
  assert.deepEqual(createResourceBuilder().add("run", "1", ["read"]).build(), { "run:1": ["read"] });
});

Deno.test("13.2, 13.3: a record has an id, a salted hash and metadata, tags in lower case; a key is seen once", async () => {
  const { keys, storage } = watched({ salt: "pepper" });
  const { key, record } = await keys.create({ ownerId: "ada", tags: ["CI"], expiresAt: null });
  assert.deepEqual(Object.keys(record).sort(), ["id", "keyHash", "metadata"]);
  assert.match(record.id, /^[\w-]{21}$/);
  assert.equal(record.keyHash, sha256(key + sha256("pepper")));
  const { ownerId, tags, enabled, revokedAt, rotatedTo } = record.metadata;
  assert.deepEqual([ownerId, tags, enabled, revokedAt, rotatedTo], ["ada", ["ci"], true, null, null]);
  assert.ok(!JSON.stringify(await storage.findByOwner("ada")).includes(key));
});

Deno.test("13.3: verify() looks for a key, its prefix, the cache, the storage; expired before revoked before disabled", async () => {
  const { keys, storage, cache, log } = watched();
  const code = async (key: string) => {
    const result = await keys.verify(key, { skipCache: true });
    return result.valid ? "valid" : result.errorCode;
  };
  assert.deepEqual([await code(""), await code("x"), log], ["MISSING_KEY", "INVALID_FORMAT", []]);
  assert.equal(await code("p_x"), "INVALID_KEY");
  const { key, record } = await keys.create({ ownerId: "ada" });
  log.length = 0;
  await keys.verify(key);
  assert.deepEqual([log[0], cache.get(`apikey:${record.keyHash}`) !== null], ["findByHash", true]);
  log.length = 0;
  await keys.verify(key);
  assert.deepEqual(log, ["findById"], "a cache hit reads the record again");
  const past = "2020-01-01T00:00:00.000Z";
  const states = [{ enabled: false }, { revokedAt: past }, { expiresAt: past }];
  const seen: string[] = [];
  for (const state of states) {
    await storage.updateMetadata(record.id, state);
    seen.push(await code(key));
  }
  assert.deepEqual(seen, ["DISABLED", "REVOKED", "EXPIRED"]);
});

Deno.test("13.2, 13.3: rotating marks the old key, revoked keys stay as they are, and the log says what was done", async () => {
  const { keys } = watched();
  const first = await keys.create({ ownerId: "ada", scopes: ["a"] }, { ip: "::1" });
  const { record, oldRecord } = await keys.rotate(first.record.id, { name: "new" });
  assert.deepEqual([record.metadata.scopes, record.metadata.name], [["a"], "new"]);
  assert.equal(oldRecord.metadata.rotatedTo, record.id);
  assert.ok(typeof oldRecord.metadata.revokedAt === "string");
  const { id } = oldRecord;
  for (const change of [() => keys.enable(id), () => keys.disable(id), () => keys.rotate(id)]) {
    await assert.rejects(change, { code: "CANNOT_MODIFY_REVOKED" });
  }
  await keys.disable(record.id);
  await keys.enable(record.id);
  await keys.revoke(record.id);
  const logs = await keys.getLogs({ ownerId: "ada" });
  assert.deepEqual(logs.map(({ action }) => action), ["revoked", "enabled", "disabled", "rotated", "created"]);
  assert.deepEqual(logs.at(-1)?.data, { ip: "::1" });
  assert.deepEqual((await keys.getLogStats("ada")).byAction, {
    created: 1,
    rotated: 1,
    disabled: 1,
    enabled: 1,
    revoked: 1,
  });
});
