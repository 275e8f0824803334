/** What every store of memberships promises, the one in memory included. */
import assert from "node:assert/strict";
import type { MemberStore } from "../../src/roles/mod.ts";

export function memberStoreConformance(
  name: string,
  open: () => Promise<{ readonly store: MemberStore; close(): Promise<void> }>,
): void {
  const test = (what: string, run: (store: MemberStore) => Promise<void>): void =>
    Deno.test(`${name}: ${what}`, async () => {
      const { store, close } = await open();
      try {
        await run(store);
      } finally {
        await close();
      }
    });

  test("add() makes a service account a member once, of each organization apart", async (store) => {
    const bot = { accountId: "bot", displayName: "Build bot", now: 1_000 };
    const member = {
      orgId: "a",
      accountId: "bot",
      displayName: "Build bot",
      kind: "service",
      level: "member",
      status: "active",
      createdAt: 1_000,
      keys: 0,
    };
    assert.deepEqual(await store.add({ orgId: "a", ...bot }), member);
    assert.equal(await store.add({ orgId: "a", ...bot }), null);
    assert.deepEqual(await store.get({ orgId: "a", accountId: "bot" }), member);
    assert.equal(await store.get({ orgId: "b", accountId: "bot" }), null);
    const other = await store.add({ orgId: "b", ...bot, displayName: "Theirs" });
    assert.equal(other?.displayName, "Theirs");
    await store.set({ orgId: "b", accountId: "bot", status: "suspended" });
    assert.deepEqual(await store.get({ orgId: "a", accountId: "bot" }), member);
  });

  test("set() changes what it is given, and gives null for who is no member", async (store) => {
    await store.add({ orgId: "a", accountId: "bot", displayName: "Bot", now: 1 });
    const suspended = await store.set({ orgId: "a", accountId: "bot", status: "suspended" });
    assert.deepEqual([suspended?.status, suspended?.displayName, suspended?.level], ["suspended", "Bot", "member"]);
    const changed = await store.set({ orgId: "a", accountId: "bot", displayName: "B", level: "admin" });
    assert.deepEqual([changed?.status, changed?.displayName, changed?.level], ["suspended", "B", "admin"]);
    assert.equal(await store.set({ orgId: "b", accountId: "bot", status: "active" }), null);
  });

  test("list() pages by account", async (store) => {
    for (const accountId of ["b", "a_1", "a-1", "A"]) {
      await store.add({ orgId: "x", accountId, displayName: "", now: 1 });
    }
    const ids = async (limit: number, after: string | null) =>
      (await store.list({ orgId: "x", limit, after })).map(({ accountId }) => accountId);
    assert.deepEqual(await ids(3, null), ["A", "a-1", "a_1"]);
    assert.deepEqual(await ids(3, "a_1"), ["b"]);
    assert.deepEqual(await store.list({ orgId: "y", limit: 3, after: null }), []);
  });
}
