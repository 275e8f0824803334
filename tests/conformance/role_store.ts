/** What every store of roles promises, the one in memory included. */
import assert from "node:assert/strict";
import { BUILT_IN_ROLES, type RoleDefinition, type RoleStore } from "../../src/roles/mod.ts";

interface RoleWorld {
  readonly store: RoleStore;
  close(): Promise<void>;
}

const definition: RoleDefinition = { ...BUILT_IN_ROLES.get("coordinator")!, systemPrompt: "One\u0000 two \u{1f600}" };
const put = (orgId: string, name: string, before: number, more: Partial<RoleDefinition> = {}) => ({
  orgId,
  name,
  before,
  definition: { ...definition, ...more },
  builtIn: false,
  createdBy: "ada",
  now: 1_000 + before,
});

export function roleStoreConformance(name: string, open: () => Promise<RoleWorld>): void {
  const test = (what: string, run: (store: RoleStore) => Promise<void>): void =>
    Deno.test(`${name}: ${what}`, async () => {
      const { store, close } = await open();
      try {
        await run(store);
      } finally {
        await close();
      }
    });

  test("put() writes the next version, and get() gives any of them", async (store) => {
    const first = await store.put(put("a", "coder", 0));
    assert.ok(first !== null);
    const { id, ...rest } = first;
    assert.deepEqual(rest, {
      orgId: "a",
      name: "coder",
      version: 1,
      ...definition,
      builtIn: false,
      createdBy: "ada",
      createdAt: 1_000,
      archivedAt: null,
    });
    const second = await store.put(put("a", "coder", 1, { temperature: 0.5, spawn: null }));
    assert.deepEqual([second?.id, second?.version, second?.temperature], [id, 2, 0.5]);
    assert.deepEqual(await store.get({ orgId: "a", name: "coder", version: null }), second);
    assert.deepEqual(await store.get({ orgId: "a", name: "coder", version: 1 }), first);
    assert.equal(await store.get({ orgId: "a", name: "coder", version: 3 }), null);
    assert.equal(await store.get({ orgId: "b", name: "coder", version: null }), null);
  });

  test("put() gives null when the latest version is another, and of many at once one wins", async (store) => {
    assert.equal(await store.put(put("a", "coder", 1)), null);
    const racing = await Promise.all(Array.from({ length: 8 }, () => store.put(put("a", "coder", 0))));
    assert.equal(racing.filter((role) => role !== null).length, 1);
    assert.equal(await store.put(put("a", "coder", 0)), null);
    const again = await Promise.all(Array.from({ length: 8 }, () => store.put(put("a", "coder", 1))));
    assert.deepEqual(again.flatMap((role) => role?.version ?? []), [2]);
  });

  test("list() pages by name, without archived ones unless asked", async (store) => {
    for (const one of ["b", "a_1", "a-1", "ab"]) await store.put(put("a", one, 0));
    await store.put(put("z", "other", 0));
    await store.archive({ orgId: "a", name: "b", now: 9 });
    const names = async (archived: boolean, limit: number, after: string | null) =>
      (await store.list({ orgId: "a", archived, limit, after })).map((role) => role.name);
    assert.deepEqual(await names(false, 10, null), ["a-1", "a_1", "ab"]);
    assert.deepEqual(await names(true, 2, null), ["a-1", "a_1"]);
    assert.deepEqual(await names(true, 2, "a_1"), ["ab", "b"]);
  });

  test("versions() are newest first, and page", async (store) => {
    for (const before of [0, 1, 2]) await store.put(put("a", "coder", before));
    const versions = async (limit: number, before: number | null) =>
      (await store.versions({ orgId: "a", name: "coder", limit, before })).map(({ version }) => version);
    assert.deepEqual(await versions(2, null), [3, 2]);
    assert.deepEqual(await versions(2, 2), [1]);
    assert.deepEqual(await store.versions({ orgId: "b", name: "coder", limit: 2, before: null }), []);
  });

  test("archive() keeps the first time, and a new version takes the role out again", async (store) => {
    assert.equal(await store.archive({ orgId: "a", name: "coder", now: 5 }), null);
    await store.put(put("a", "coder", 0));
    assert.equal((await store.archive({ orgId: "a", name: "coder", now: 5 }))?.archivedAt, 5);
    assert.equal((await store.archive({ orgId: "a", name: "coder", now: 8 }))?.archivedAt, 5);
    assert.equal((await store.get({ orgId: "a", name: "coder", version: 1 }))?.archivedAt, 5);
    assert.equal((await store.put(put("a", "coder", 1)))?.archivedAt, null);
  });
}
