import assert from "node:assert/strict";
import { type ApiKeyManager, type ApiKeyRecord, createKeys, MemoryStorage } from "@alkdev/keypal";
import { adminKeyProblem, ensureAdminKey } from "./admin_key.ts";
import { type Auth, AuthUnavailableError, createAuth } from "./auth.ts";
import { createKeyAdmin, type KeyAdmin, type KeyAuditEntry } from "./key_admin.ts";
import type { Principal } from "./principal.ts";

interface World {
  readonly clock: { nowMs: number };
  readonly storage: CountingStorage;
  readonly keys: ApiKeyManager;
  readonly auth: Auth;
  readonly admin: KeyAdmin;
  readonly audit: KeyAuditEntry[];
}

class CountingStorage extends MemoryStorage {
  looks = 0;
  fails = false;
  failsToSave = false;

  override save(record: ApiKeyRecord): Promise<void> {
    return this.failsToSave ? Promise.reject(new Error("full")) : super.save(record);
  }

  override findByHash(hash: string): ReturnType<MemoryStorage["findByHash"]> {
    this.looks++;
    return this.fails ? Promise.reject(new Error("down")) : super.findByHash(hash);
  }
}

function setUp(): World {
  const clock = { nowMs: Date.UTC(2026, 0, 1) };
  const now = () => clock.nowMs;
  const storage = new CountingStorage();
  const keys = createKeys({ prefix: "alk_", storage, now });
  const auth = createAuth({ keys, now });
  const audit: KeyAuditEntry[] = [];
  const append = (entry: KeyAuditEntry) => Promise.resolve(void audit.push(entry));
  return { clock, storage, keys, auth, audit, admin: createKeyAdmin({ keys, auth, audit: { append }, now }) };
}

async function principalOf({ keys, auth }: World, scopes: string[], orgId = "default"): Promise<Principal> {
  const { key } = await keys.create({ ownerId: "ada", orgId, name: "test", scopes });
  const principal = await auth.authenticate(key);
  assert.ok(principal !== null);
  return principal;
}

Deno.test("authenticate() gives the owner, scopes, tenant and key of a valid key", async () => {
  const world = setUp();
  const { key, record } = await world.keys.create({ ownerId: "ada", name: "ci", scopes: ["run:read"] });
  const wanted = {
    identity: { id: "ada", scopes: ["run:read"] },
    orgId: "default",
    keyId: record.id,
    keyName: "ci",
  };
  assert.deepEqual(await world.auth.authenticate(new Headers({ authorization: `Bearer ${key}` })), wanted);
  assert.deepEqual(await world.auth.authenticate(new Headers({ "x-api-key": key })), wanted);
  assert.deepEqual(await world.auth.authenticate(key), wanted);
});

Deno.test("authenticate() gives null when there is no key, or none that is valid", async () => {
  const { auth } = setUp();
  assert.equal(await auth.authenticate(new Headers()), null);
  assert.equal(await auth.authenticate(""), null);
  assert.equal(await auth.authenticate("alk_unknown"), null);
  assert.equal(await auth.authenticate("x".repeat(100_000)), null);
});

Deno.test("authenticate() looks once in its time to live, and once for requests that come together", async () => {
  const world = setUp();
  const { key } = await world.keys.create({ ownerId: "ada" });
  await Promise.all([1, 2, 3].map(() => world.auth.authenticate(key)));
  assert.equal(world.storage.looks, 1);
  world.clock.nowMs += 799;
  assert.ok(world.auth.remembered(key) !== undefined);
  await world.auth.authenticate(key);
  assert.equal(world.storage.looks, 1);
  world.clock.nowMs += 1;
  assert.equal(world.auth.remembered(key), undefined);
  await world.auth.authenticate(key);
  assert.equal(world.storage.looks, 2);
});

Deno.test("authenticate() refuses a key within a second when another hub revoked it (I10)", async () => {
  const world = setUp();
  const { key, record } = await world.keys.create({ ownerId: "ada" });
  assert.ok(await world.auth.authenticate(key));
  await createKeys({ storage: world.storage, now: () => world.clock.nowMs }).revoke(record.id);
  world.clock.nowMs += 1000;
  assert.equal(await world.auth.authenticate(key), null);
});

Deno.test("authenticate() refuses a key at its expiry though it is remembered", async () => {
  const world = setUp();
  const expiresAt = new Date(world.clock.nowMs + 300).toISOString();
  const { key } = await world.keys.create({ ownerId: "ada", expiresAt });
  assert.ok(await world.auth.authenticate(key));
  world.clock.nowMs += 300;
  assert.equal(await world.auth.authenticate(key), null);
});

Deno.test("authenticate() does not remember a look that an invalidation overtook", async () => {
  const world = setUp();
  const { key, record } = await world.keys.create({ ownerId: "ada" });
  const look = world.auth.authenticate(key);
  world.auth.invalidate(record.id);
  await look;
  assert.equal(world.auth.remembered(key), undefined);
});

Deno.test("authenticate() throws rather than refuse when keys cannot be looked up", async () => {
  const world = setUp();
  const { key } = await world.keys.create({ ownerId: "ada" });
  world.storage.fails = true;
  await assert.rejects(world.auth.authenticate(key), AuthUnavailableError);
});

Deno.test("createAuth() forgets the oldest key past its bound", async () => {
  const { keys } = setUp();
  const auth = createAuth({ keys, maxEntries: 2, now: () => 0 });
  const made = await Promise.all([1, 2, 3].map(() => keys.create({ ownerId: "ada" })));
  for (const { key } of made) await auth.authenticate(key);
  assert.deepEqual(made.map(({ key }) => auth.remembered(key) !== undefined), [false, true, true]);
});

Deno.test("KeyAdmin.create() refuses scopes that the principal does not hold", async () => {
  const world = setUp();
  const principal = await principalOf(world, ["keys:write", "run:*"]);
  const create = (...scopes: string[]) => world.admin.create({ principal, key: { name: "k", scopes } });
  for (const scope of ["*", "r*", "workflow:run", "keys:*"]) {
    await assert.rejects(create("run:read", scope), { code: "ACCESS_DENIED", details: { requiredScopes: [scope] } });
  }
  const { key, record } = await create("run:read", "run:*", "run:read");
  assert.deepEqual(record.scopes, ["run:read", "run:*"]);
  assert.equal((await world.auth.authenticate(key))?.identity.id, "ada");
  assert.deepEqual(world.audit.map(({ action, details }) => [action, details.byKey]), [[
    "key.created",
    principal.keyId,
  ]]);
  assert.ok(!JSON.stringify(world.audit).includes(key));
  const late = world.admin.create({ principal, key: { name: "k", scopes: [], expiresAt: world.clock.nowMs } });
  await assert.rejects(late, { code: "VALIDATION_ERROR" });
});

Deno.test("KeyAdmin.revoke() stops a remembered key at once", async () => {
  const world = setUp();
  const principal = await principalOf(world, ["*"]);
  const { key, record } = await world.admin.create({ principal, key: { name: "k", scopes: ["run:read"] } });
  assert.ok(await world.auth.authenticate(key));
  assert.equal((await world.admin.revoke({ principal, id: record.id })).status, "revoked");
  assert.equal(await world.auth.authenticate(key), null);
  await assert.rejects(world.admin.revoke({ principal, id: record.id }), { code: "KEY_REVOKED" });
  await assert.rejects(world.admin.rotate({ principal, id: record.id }), { code: "KEY_REVOKED" });
});

Deno.test("KeyAdmin.rotate() gives a key of the same scopes, and stops the old one at once", async () => {
  const world = setUp();
  const principal = await principalOf(world, ["*"]);
  const old = await world.admin.create({ principal, key: { name: "k", scopes: ["run:read"] } });
  await world.auth.authenticate(old.key);
  const fresh = await world.admin.rotate({ principal, id: old.record.id });
  assert.equal(await world.auth.authenticate(old.key), null);
  assert.deepEqual((await world.auth.authenticate(fresh.key))?.identity.scopes, ["run:read"]);
});

Deno.test("KeyAdmin refuses to touch a key stronger than the principal's own", async () => {
  const world = setUp();
  const strong = await principalOf(world, ["*"]);
  const principal = await principalOf(world, ["keys:write", "keys:read"]);
  for (const act of ["rotate", "revoke"] as const) {
    await assert.rejects(world.admin[act]({ principal, id: strong.keyId }), { code: "ACCESS_DENIED" });
  }
});

Deno.test("KeyAdmin shows and changes keys of its own organization only (I9)", async () => {
  const world = setUp();
  const mine = await principalOf(world, ["*"], "a");
  const theirs = await principalOf(world, ["*"], "b");
  const ids = (await world.admin.list({ principal: mine })).map(({ id }) => id);
  assert.deepEqual(ids, [mine.keyId]);
  for (const act of ["rotate", "revoke"] as const) {
    await assert.rejects(world.admin[act]({ principal: mine, id: theirs.keyId }), { code: "KEY_NOT_FOUND" });
  }
});

Deno.test("ensureAdminKey() makes one key, once, and takes up what a crash left", async () => {
  const { keys, auth, storage } = setUp();
  let text: string | null = null;
  const file = {
    read: () => Promise.resolve(text),
    create: (fresh: string) => Promise.resolve(text === null ? (text = fresh, true) : false),
  };
  const ensure = () => ensureAdminKey({ keys, file, ownerId: "admin", orgId: "default" });
  storage.failsToSave = true;
  await assert.rejects(ensure(), /full/);
  const left: string | null = text;
  assert.match(left ?? "", /^alk_[A-Za-z0-9]{32}\n$/);
  storage.failsToSave = false;
  assert.equal(await ensure(), true);
  assert.equal(text, left);
  assert.deepEqual((await auth.authenticate((left ?? "").trim()))?.identity, { id: "admin", scopes: ["*"] });
  assert.equal(await ensure(), false);
});

Deno.test("KeyAdmin.create() refuses a scope that nothing asks for, and makes no key", async () => {
  const { keys, auth, clock } = setUp();
  const admin = createKeyAdmin({
    keys,
    auth,
    audit: { append: () => Promise.resolve() },
    declaredScopes: (orgId) => new Set(orgId === "default" ? ["billing:write"] : []),
    now: () => clock.nowMs,
  });
  const { key } = await keys.create({ ownerId: "ada", orgId: "default", name: "root", scopes: ["*"] });
  const principal = await auth.authenticate(key);
  assert.ok(principal);
  await assert.rejects(
    admin.create({ principal, key: { name: "k", scopes: ["key:write"] } }),
    /did you mean "keys:write"/,
  );
  assert.equal((await admin.list({ principal })).length, 1);
  const made = await admin.create({ principal, key: { name: "k", scopes: ["billing:write"] } });
  assert.deepEqual(made.record.scopes, ["billing:write"]);
});

Deno.test("adminKeyProblem() tells a key file that is lost or of another database", async () => {
  const { keys } = setUp();
  const { key, record } = await keys.create({ ownerId: "admin", scopes: ["*"] });
  const problem = (text: string | null) => adminKeyProblem({ keys, file: { read: () => Promise.resolve(text) } });
  assert.equal(await problem(`${key}\n`), null);
  assert.equal(await problem(null), "missing");
  assert.equal(await problem("\n"), "missing");
  assert.equal(await problem("alk_strange"), "refused");
  await keys.revoke(record.id);
  assert.equal(await problem(key), "refused");
});

Deno.test("rotate() keeps both keys valid for the grace period, then only the new one", async () => {
  const world = setUp();
  const principal = await principalOf(world, ["*"]);
  const old = await world.admin.create({ principal, key: { name: "ci", scopes: ["run:read"] } });
  const rotated = await world.admin.rotate({ principal, id: old.record.id, graceMs: 60_000 });
  for (const key of [old.key, rotated.key]) assert.ok(await world.auth.authenticate(key) !== null);
  await assert.rejects(world.admin.rotate({ principal, id: old.record.id }), /rotated already/);
  world.clock.nowMs += 59_999;
  assert.ok(await world.auth.authenticate(old.key) !== null);
  world.clock.nowMs += 1;
  assert.equal(world.auth.remembered(old.key), undefined);
  assert.equal(await world.auth.authenticate(old.key), null);
  assert.ok(await world.auth.authenticate(rotated.key) !== null);
});

Deno.test("rotate() lets no key live longer than it would have", async () => {
  const world = setUp();
  const principal = await principalOf(world, ["*"]);
  const expiresAt = world.clock.nowMs + 1_000;
  const old = await world.admin.create({ principal, key: { name: "ci", scopes: ["run:read"], expiresAt } });
  await world.admin.rotate({ principal, id: old.record.id, graceMs: 60_000 });
  world.clock.nowMs = expiresAt;
  assert.equal(await world.auth.authenticate(old.key), null);
});

Deno.test("authenticate() does the same for an unknown, a revoked and an expired key: one hash, one look", async () => {
  const world = setUp();
  const principal = await principalOf(world, ["*"]);
  const make = (extra: { readonly expiresAt?: number } = {}) =>
    world.admin.create({ principal, key: { name: "k", scopes: ["run:read"], ...extra } });
  const revoked = await make();
  await world.admin.revoke({ principal, id: revoked.record.id });
  const expired = await make({ expiresAt: world.clock.nowMs + 1 });
  world.clock.nowMs += 10_000;
  let hashes = 0;
  const hashKey = world.keys.hashKey.bind(world.keys);
  world.keys.hashKey = (key) => {
    hashes++;
    return hashKey(key);
  };
  for (const key of [world.keys.generateKey(), revoked.key, expired.key]) {
    const [looksBefore, hashesBefore] = [world.storage.looks, hashes];
    assert.equal(await world.auth.authenticate(key), null);
    assert.deepEqual([world.storage.looks - looksBefore, hashes - hashesBefore], [1, 1]);
  }
});

Deno.test("authenticate() costs one hash and no look when warm", async () => {
  const world = setUp();
  const { key } = await world.keys.create({ ownerId: "ada", name: "warm", scopes: ["run:read"] });
  await world.auth.authenticate(key);
  const before = world.storage.looks;
  let hashes = 0;
  const hashKey = world.keys.hashKey.bind(world.keys);
  world.keys.hashKey = (text) => {
    hashes++;
    return hashKey(text);
  };
  for (let turn = 0; turn < 100; turn++) await world.auth.authenticate(key);
  assert.deepEqual([world.storage.looks - before, hashes], [0, 100]);
});
