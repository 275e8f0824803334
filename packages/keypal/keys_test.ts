import assert from "node:assert/strict";
import fc from "fast-check";
import type { ApiKeyRecord } from "./api_key_record.ts";
import type { ApiKeyManagerConfig } from "./config.ts";
import { createKeys } from "./create_keys.ts";
import { extractKeyFromHeaders } from "./extract_key.ts";
import { generateKey } from "./generate_key.ts";
import type { ApiKeyManager } from "./manager.ts";
import { MemoryStorage } from "./memory_storage.ts";
import { hasScope } from "./scopes.ts";
import { createResourceBuilder } from "./resource_builder.ts";

/** A manager on a clock that the test moves. */
function setUp(
  config: ApiKeyManagerConfig = {},
): { keys: ApiKeyManager; clock: { nowMs: number }; storage: MemoryStorage } {
  const clock = { nowMs: Date.UTC(2026, 0, 1) };
  const storage = new MemoryStorage();
  const keys = createKeys({ prefix: "t_", storage, now: () => clock.nowMs, ...config });
  return { keys, clock, storage };
}

async function refusal(keys: ApiKeyManager, key: string): Promise<string | null> {
  const result = await keys.verify(key);
  return result.valid ? null : result.errorCode;
}

Deno.test("create() gives a key that verify() accepts, and stores only its hash", async () => {
  const { keys, storage } = setUp();
  const { key, record } = await keys.create({ ownerId: "ada", name: "ci", tags: ["CI"] });
  assert.match(key, /^t_[A-Za-z0-9]{32}$/);
  assert.match(record.id, /^[A-Za-z0-9_-]{21}$/);
  assert.deepEqual(record.metadata.tags, ["ci"]);
  assert.ok(!JSON.stringify(await storage.findById(record.id)).includes(key));
  const result = await keys.verify(new Headers({ authorization: `Bearer ${key}` }));
  assert.ok(result.valid);
  assert.equal(result.record.metadata.ownerId, "ada");
});

Deno.test("verify() tells why when a key is refused", async () => {
  const { keys, clock } = setUp();
  assert.equal(await refusal(keys, ""), "MISSING_KEY");
  assert.equal(await refusal(keys, "other_abc"), "INVALID_FORMAT");
  assert.equal(await refusal(keys, "t_unknown"), "INVALID_KEY");
  const expiring = await keys.create({ ownerId: "ada", expiresAt: new Date(clock.nowMs + 1000).toISOString() });
  assert.equal(await refusal(keys, expiring.key), null);
  clock.nowMs += 1000;
  assert.equal(await refusal(keys, expiring.key), "EXPIRED");
  const unreadable = await keys.create({ ownerId: "ada", expiresAt: "soon" });
  assert.equal(await refusal(keys, unreadable.key), "EXPIRED");
});

Deno.test("verify() answers STORAGE_ERROR without the storage's message when it fails", async () => {
  const storage = new MemoryStorage();
  storage.findByHash = () => Promise.reject(new Error("10.0.0.1 refused"));
  const result = await createKeys({ storage }).verify("abc");
  assert.ok(!result.valid);
  assert.equal(result.errorCode, "STORAGE_ERROR");
  assert.ok(!result.error.includes("10.0.0.1"));
});

for (const cache of [false, true]) {
  Deno.test(`revoke(), disable() and enable() take effect at once when cache is ${cache}`, async () => {
    const { keys } = setUp({ cache });
    const { key, record } = await keys.create({ ownerId: "ada" });
    assert.equal(await refusal(keys, key), null);
    await keys.disable(record.id);
    assert.equal(await refusal(keys, key), "DISABLED");
    await assert.rejects(keys.disable(record.id), { code: "ALREADY_DISABLED" });
    await keys.enable(record.id);
    await assert.rejects(keys.enable(record.id), { code: "ALREADY_ENABLED" });
    assert.equal(await refusal(keys, key), null);
    await keys.revoke(record.id);
    assert.equal(await refusal(keys, key), "REVOKED");
    await assert.rejects(keys.revoke(record.id), { code: "ALREADY_REVOKED" });
    await assert.rejects(keys.enable(record.id), { code: "CANNOT_MODIFY_REVOKED" });
    await assert.rejects(keys.rotate(record.id), { code: "CANNOT_MODIFY_REVOKED" });
    await assert.rejects(keys.revoke("nobody"), { code: "KEY_NOT_FOUND" });
  });

  Deno.test(`rotate() inherits metadata and retires the old key when cache is ${cache}`, async () => {
    const { keys } = setUp({ cache });
    const first = await keys.create({ ownerId: "ada", name: "ci", scopes: ["run:read"] });
    await keys.verify(first.key);
    const second = await keys.rotate(first.record.id, { name: "ci 2" });
    assert.notEqual(second.key, first.key);
    assert.deepEqual(second.record.metadata.scopes, ["run:read"]);
    assert.equal(second.record.metadata.name, "ci 2");
    assert.equal(second.record.metadata.revokedAt, null);
    assert.equal(second.oldRecord.metadata.rotatedTo, second.record.id);
    assert.equal(await refusal(keys, first.key), "REVOKED");
    assert.equal(await refusal(keys, second.key), null);
  });
}

Deno.test("verify() works without its cache when the cache fails", async () => {
  const broken = () => Promise.reject(new Error("down"));
  const { keys } = setUp({ cache: { get: broken, set: broken, del: broken } });
  const { key, record } = await keys.create({ ownerId: "ada" });
  assert.equal(await refusal(keys, key), null);
  await keys.revoke(record.id);
  assert.equal(await refusal(keys, key), "REVOKED");
});

Deno.test("verify() writes the last use once an interval, and not with skipTracking", async () => {
  const { keys, clock, storage } = setUp();
  const { key, record } = await keys.create({ ownerId: "ada" });
  const lastUsed = async () => (await storage.findById(record.id))?.metadata.lastUsedAt;
  await keys.verify(key, { skipTracking: true });
  await keys.flushUsage();
  assert.equal(await lastUsed(), null);
  const first = new Date(clock.nowMs).toISOString();
  await keys.verify(key);
  clock.nowMs += 59_999;
  await keys.verify(key);
  await keys.flushUsage();
  assert.equal(await lastUsed(), first);
  clock.nowMs += 1;
  await keys.verify(key);
  await keys.flushUsage();
  assert.equal(await lastUsed(), new Date(clock.nowMs).toISOString());
});

Deno.test("list(), listByOrg() and findByTag() find keys; revokeAll() retires an owner's", async () => {
  const { keys } = setUp();
  const a = await keys.create({ ownerId: "ada", orgId: "o1", tags: ["x"] });
  const b = await keys.create({ ownerId: "bob", orgId: "o1", tags: ["X", "y"] });
  const c = await keys.create({ ownerId: "ada", orgId: "o2" });
  const ids = (records: readonly ApiKeyRecord[]) => records.map(({ id }) => id);
  assert.deepEqual(ids(await keys.list("ada")), [a.record.id, c.record.id]);
  assert.deepEqual(ids(await keys.listByOrg("o1")), [a.record.id, b.record.id]);
  assert.deepEqual(ids(await keys.findByTag("X")), [a.record.id, b.record.id]);
  assert.deepEqual(ids(await keys.findByTags(["x", "y"], "bob")), [b.record.id]);
  await keys.revokeAll("ada");
  assert.equal(await refusal(keys, a.key), "REVOKED");
  assert.equal(await refusal(keys, b.key), null);
});

Deno.test("audit logs record each change with its context, newest first", async () => {
  const { keys } = setUp({ auditLogs: true, auditContext: { hub: "h1" } });
  const { record } = await keys.create({ ownerId: "ada" }, { by: "root" });
  await keys.disable(record.id);
  await keys.enable(record.id);
  await keys.rotate(record.id);
  assert.deepEqual((await keys.getLogs()).map(({ action }) => action), ["rotated", "enabled", "disabled", "created"]);
  assert.deepEqual((await keys.getLogs({ action: "created" }))[0]?.data, { hub: "h1", by: "root" });
  assert.equal((await keys.getLogStats("ada")).total, 4);
  assert.equal(await keys.clearLogs(record.id), 4);
  assert.equal(await keys.countLogs(), 0);
});

Deno.test("getLogs() says what is missing when audit logs are off or not kept", async () => {
  await assert.rejects(setUp().keys.getLogs(), { code: "AUDIT_LOGGING_DISABLED" });
  const none = Object.defineProperty(new MemoryStorage(), "findLogs", { value: undefined });
  await assert.rejects(createKeys({ storage: none, auditLogs: true }).getLogs(), { code: "STORAGE_NOT_SUPPORTED" });
});

Deno.test("extractKeyFromHeaders() reads bearer and x-api-key, and no other scheme", () => {
  assert.equal(extractKeyFromHeaders({ Authorization: "bearer  k1 " }), "k1");
  assert.equal(extractKeyFromHeaders(new Headers({ "x-api-key": "k2" })), "k2");
  assert.equal(extractKeyFromHeaders({ authorization: "Basic abc", "x-api-key": "k3" }), "k3");
  assert.equal(extractKeyFromHeaders({ authorization: "Bearer", "x-api-key": undefined }), null);
  assert.equal(extractKeyFromHeaders({}), null);
});

Deno.test("generateKey() uses only its alphabet, at the length asked for", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100 }), fc.constantFrom("ab", "0123456789", "xyz"), (length, alphabet) => {
      const key = generateKey({ length, alphabet });
      return key.length === length && [...key].every((char) => alphabet.includes(char));
    }),
  );
  assert.throws(() => generateKey({ alphabet: "a" }), RangeError);
});

Deno.test("validateKey() holds for the key's own hash only", () => {
  const keys = createKeys({ salt: "pepper", algorithm: "sha512" });
  assert.ok(keys.validateKey("abc", keys.hashKey("abc")));
  assert.ok(!keys.validateKey("abd", keys.hashKey("abc")));
  assert.notEqual(keys.hashKey("abc"), createKeys({ algorithm: "sha512" }).hashKey("abc"));
});

Deno.test("hasScope() counts a resource's scopes only when asked for that resource", () => {
  const holder = {
    scopes: ["a"],
    resources: createResourceBuilder().add("run", "1", ["b"]).add("run", "1", ["c"]).build(),
  };
  assert.ok(hasScope(holder, "a"));
  assert.ok(!hasScope(holder, "b"));
  assert.ok(hasScope(holder, "b", { resource: "run:1" }));
  assert.ok(!hasScope(holder, "b", { resource: "run:2" }));
  assert.ok(!hasScope(holder, "b", { resource: "constructor" }));
});

Deno.test("ApiKeyManager.hasScope() and its kin ask a record, and say no for none (section 13.1)", async () => {
  const { keys } = setUp();
  const resources = createResourceBuilder().addMany("run", ["1", "2"], ["b", "c"]).remove("run", "2").build();
  const { record } = await keys.create({ ownerId: "ada", scopes: ["a"], resources });
  const resource = "run:1";
  assert.ok(keys.hasScope(record, "a") && !keys.hasScope(record, "b") && keys.hasScope(record, "b", { resource }));
  assert.ok(keys.hasAnyScope(record, ["x", "a"]) && !keys.hasAnyScope(record, []) && !keys.hasAnyScope(record, ["b"]));
  assert.ok(keys.hasAnyScope(record, ["x", "b"], { resource }));
  assert.ok(keys.hasAllScopes(record, ["a", "b"], { resource }) && !keys.hasAllScopes(record, ["a", "b"]));
  assert.ok(keys.checkResourceScope(record, "run", "1", "b") && !keys.checkResourceScope(record, "run", "1", "a"));
  assert.ok(!keys.checkResourceScope(record, "run", "2", "b"));
  assert.ok(keys.checkResourceAnyScope(record, "run", "1", ["x", "c"]));
  assert.ok(!keys.checkResourceAnyScope(record, "run", "1", ["x", "a"]));
  assert.ok(keys.checkResourceAllScopes(record, "run", "1", ["b", "c"]));
  assert.ok(!keys.checkResourceAllScopes(record, "run", "1", ["a", "b"]));
  const nobody = [
    keys.hasScope(null, "a"),
    keys.hasAnyScope(null, ["a"]),
    keys.hasAllScopes(null, []),
    keys.checkResourceScope(null, "run", "1", "b"),
    keys.checkResourceAnyScope(null, "run", "1", ["b"]),
    keys.checkResourceAllScopes(null, "run", "1", []),
  ];
  assert.deepEqual(nobody, [false, false, false, false, false, false]);
});
