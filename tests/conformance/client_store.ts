import assert from "node:assert/strict";
import type { ClientRecord, ClientStore } from "../../src/clients/mod.ts";

/** A client for tests. */
export function clientRecord(change: Partial<ClientRecord> = {}): ClientRecord {
  const sealed = { keyVersion: 1, salt: "s", iv: "i", data: "d" };
  return {
    id: crypto.randomUUID(),
    orgId: "default",
    name: `c${crypto.randomUUID()}`,
    config: { type: "mcp", url: "https://mcp.example/", auth: { type: "bearer" } },
    secrets: [{ name: "auth", sealed, last4: "cret", updatedAt: 1_000 }],
    revision: 1,
    createdAt: 1_000,
    updatedAt: 1_000,
    ...change,
  };
}

/** What every {@linkcode ClientStore} does. */
export function clientStoreConformance(
  kind: string,
  create: () => Promise<{ readonly store: ClientStore; close(): Promise<void> }>,
): void {
  const test = (title: string, body: (store: ClientStore) => Promise<void>) =>
    Deno.test(`${kind}: ClientStore ${title}`, async () => {
      const { store, close } = await create();
      try {
        await body(store);
      } finally {
        await close();
      }
    });
  const add = async (store: ClientStore, change: Partial<ClientRecord> = {}) => {
    const client = clientRecord(change);
    assert.equal(await store.put({ client, before: null, keepCatalog: false }), true);
    return client;
  };

  test("put() makes one of a name in an organization, and get(), find() and list() give it", async (store) => {
    const [b, a] = [await add(store, { name: "b" }), await add(store, { name: "a" })];
    await add(store, { name: "b", orgId: "other" });
    assert.equal(await store.put({ client: clientRecord({ name: "b" }), before: null, keepCatalog: false }), false);
    assert.deepEqual(await store.get(b), b);
    assert.deepEqual(await store.find(b), b);
    assert.deepEqual(await store.list({ orgId: "default" }), [a, b]);
    assert.equal(await store.get({ orgId: "third", name: "b" }), null);
    assert.equal(await store.get({ orgId: "default", name: "\u0000" }), null);
    assert.equal(await store.find({ id: "none" }), null);
  });

  test("put() replaces only the revision that was read, secrets included", async (store) => {
    const first = await add(store);
    const second: ClientRecord = { ...first, secrets: [], revision: 2, updatedAt: 2_000 };
    assert.equal(await store.put({ client: second, before: 1, keepCatalog: false }), true);
    assert.deepEqual(await store.get(first), second);
    assert.equal(await store.put({ client: { ...first, revision: 2 }, before: 1, keepCatalog: false }), false);
    assert.equal(await store.put({ client: clientRecord({ revision: 2 }), before: 1, keepCatalog: false }), false);
  });

  test("remove() takes secrets and catalog with it, of the own organization alone", async (store) => {
    const client = await add(store);
    await store.putCatalog({ id: client.id, revision: 1, catalog: { content: "[]", hash: "h", updatedAt: 5 } });
    assert.equal(await store.remove({ orgId: "other", name: client.name }), false);
    assert.equal(await store.remove(client), true);
    assert.equal(await store.remove(client), false);
    assert.equal(await store.find(client), null);
    assert.equal(await store.catalog(client), null);
    assert.deepEqual(await store.sealedOtherwise({ keyVersion: 9, limit: 9 }), []);
  });

  test("version() grows with every change, and heads() say what has changed", async (store) => {
    let before = await store.version();
    const grows = async (work: Promise<unknown>, expected = true) => {
      await work;
      const now = await store.version();
      assert.equal(now > before, expected);
      before = now;
    };
    const client = clientRecord();
    const { id } = client;
    const catalog = { content: "[]", hash: "h", updatedAt: 5 };
    await grows(store.put({ client, before: null, keepCatalog: false }));
    await grows(store.put({ client, before: null, keepCatalog: false }), false);
    assert.deepEqual(await store.heads(), [{ id, revision: 1, catalogHash: null }]);
    await grows(store.putCatalog({ id, revision: 1, catalog }));
    await grows(store.putCatalog({ id, revision: 1, catalog: { ...catalog, updatedAt: 9 } }), false);
    await grows(store.putCatalog({ id, revision: 2, catalog: { ...catalog, hash: "x" } }), false);
    await grows(store.putCatalog({ id: "none", revision: 1, catalog }), false);
    assert.deepEqual(await store.heads(), [{ id, revision: 1, catalogHash: "h" }]);
    assert.deepEqual(await store.catalog({ id }), catalog);
    await grows(store.put({ client: { ...client, revision: 2 }, before: 1, keepCatalog: true }));
    assert.deepEqual(await store.heads(), [{ id, revision: 2, catalogHash: "h" }]);
    await grows(store.put({ client: { ...client, revision: 3 }, before: 2, keepCatalog: false }));
    assert.deepEqual(await store.heads(), [{ id, revision: 3, catalogHash: null }]);
    await grows(store.remove(client));
    await grows(store.remove(client), false);
  });

  test("reseal() puts a seal in the place of the one that was read", async (store) => {
    const client = await add(store);
    assert.deepEqual(await store.sealedOtherwise({ keyVersion: 1, limit: 9 }), []);
    const [found] = await store.sealedOtherwise({ keyVersion: 2, limit: 9 });
    assert.deepEqual(found, { clientId: client.id, secret: client.secrets[0] });
    const before = client.secrets[0]!;
    const sealed = { ...before.sealed, keyVersion: 2, data: "new" };
    await store.reseal({ clientId: client.id, before, sealed });
    await store.reseal({ clientId: client.id, before, sealed: { ...sealed, data: "late" } });
    assert.deepEqual((await store.find(client))?.secrets, [{ ...before, sealed }]);
    assert.deepEqual(await store.sealedOtherwise({ keyVersion: 2, limit: 9 }), []);
  });
}
