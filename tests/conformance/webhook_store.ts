import assert from "node:assert/strict";
import type { Receipt, WebhookRecord, WebhookStore } from "../../src/triggers/mod.ts";

/** A webhook for tests. */
export function webhookRecord(change: Partial<WebhookRecord> = {}): WebhookRecord {
  return {
    id: crypto.randomUUID(),
    orgId: "default",
    definition: { kind: "inbound", name: crypto.randomUUID(), target: { workflow: "w" }, input: { b: 1, a: "\u0000" } },
    owner: { keyId: "k", identity: { id: "admin", scopes: ["*"] } },
    secrets: [{ sealed: { keyVersion: 1, salt: "s", iv: "i", data: "d" }, createdAt: 1_000, expiresAt: null }],
    paused: false,
    revision: 1,
    activeSince: 1_000,
    createdAt: 1_000,
    updatedAt: 1_000,
    ...change,
  };
}

const NO_STATS = {
  accepted: 0,
  rejected: 0,
  lastAcceptedAt: null,
  lastRejectedAt: null,
  lastError: null,
  lastErrorAt: null,
};

/** What every {@linkcode WebhookStore} does. */
export function webhookStoreConformance(
  name: string,
  create: () => Promise<{ readonly store: WebhookStore; close(): Promise<void> }>,
): void {
  const test = (title: string, body: (store: WebhookStore) => Promise<void>) =>
    Deno.test(`${name}: WebhookStore ${title}`, async () => {
      const { store, close } = await create();
      try {
        await body(store);
      } finally {
        await close();
      }
    });

  test("keeps webhooks by organization, one of a name", async (store) => {
    const one = webhookRecord();
    assert.equal(await store.create(one), true);
    assert.deepEqual(await store.get(one), { ...one, stats: NO_STATS });
    assert.deepEqual(await store.find({ id: one.id }), { ...one, stats: NO_STATS });
    assert.equal(await store.get({ orgId: "other", id: one.id }), null);
    assert.equal(await store.find({ id: "none" }), null);
    const same = webhookRecord({ definition: one.definition });
    assert.equal(await store.create(same), false);
    assert.equal(await store.create({ ...same, orgId: "other" }), true);
    assert.deepEqual((await store.list({ orgId: "default" })).map(({ id }) => id), [one.id]);
    assert.equal(await store.remove({ orgId: "other", id: one.id }), false);
    assert.equal(await store.remove(one), true);
    assert.equal(await store.find(one), null);
  });

  test("update() stores only over the revision that was read, and count() beside it", async (store) => {
    const [one, two] = [webhookRecord(), webhookRecord()];
    await store.create(one);
    await store.create(two);
    await store.count({ id: one.id, accepted: true, at: 5, error: null });
    await store.count({ id: one.id, accepted: false, at: 6, error: null });
    await store.count({ id: one.id, accepted: true, at: 7, error: "x" });
    await store.count({ id: "none", accepted: true, at: 7, error: null });
    assert.equal(await store.update({ ...one, paused: true }), "updated");
    assert.equal(await store.update({ ...one, paused: false }), "changed");
    assert.equal(await store.update({ ...two, definition: one.definition }), "name-taken");
    const found = await store.get(one);
    assert.deepEqual([found?.paused, found?.revision], [true, 2]);
    assert.deepEqual(found?.stats, {
      accepted: 2,
      rejected: 1,
      lastAcceptedAt: 7,
      lastRejectedAt: 6,
      lastError: "x",
      lastErrorAt: 7,
    });
  });

  test("outbound() gives those of all organizations that send", async (store) => {
    const out = (name: string) => ({ kind: "outbound", name, url: "https://x", events: ["run.failed"] }) as const;
    const [a, b] = [webhookRecord({ definition: out("a") }), webhookRecord({ definition: out("b"), orgId: "other" })];
    for (const each of [a, b, webhookRecord(), webhookRecord({ definition: out("c"), paused: true })]) {
      await store.create(each);
    }
    assert.deepEqual((await store.outbound()).map(({ id }) => id).sort(), [a.id, b.id].sort());
    assert.deepEqual((await store.outbound()).find(({ id }) => id === a.id), a);
  });

  test("sealedOtherwise() pages through those of all organizations that another key has sealed", async (store) => {
    const secret = (keyVersion: number) => ({
      sealed: { keyVersion, salt: "s", iv: "i", data: "d" },
      createdAt: 1_000,
      expiresAt: null,
    });
    const webhooks = [[1], [2, 1], [2]].map((versions, at) =>
      webhookRecord({ id: `id-${at}`, orgId: `org-${at}`, secrets: versions.map(secret) })
    );
    for (const each of webhooks) await store.create(each);
    const [first, second] = webhooks;
    const page = (after: string | null, limit: number) => store.sealedOtherwise({ keyVersion: 2, limit, after });
    assert.deepEqual(await page(null, 9), [first, second]);
    assert.deepEqual(await page(null, 1), [first]);
    assert.deepEqual(await page("id-0", 9), [second]);
    assert.deepEqual(await page("id-1", 9), []);
  });

  test("keeps the first receipt of a delivery until it is over", async (store) => {
    const { id: webhookId, ...rest } = webhookRecord();
    await store.create({ id: webhookId, ...rest });
    const receipt: Receipt = {
      webhookId,
      deliveryId: "d",
      at: 1_000,
      outcome: "started",
      runId: "r",
      expiresAt: 2_000,
    };
    const get = (now: number) => store.receipt({ webhookId, deliveryId: "d", now });
    assert.equal(await get(1_000), null);
    await store.putReceipt(receipt);
    await store.putReceipt({ ...receipt, at: 1_500, runId: "other", expiresAt: 3_000 });
    assert.deepEqual(await get(1_999), receipt);
    assert.equal(await get(2_000), null);
    await store.putReceipt({ ...receipt, at: 2_000, outcome: "filtered", runId: null, expiresAt: 3_000 });
    assert.equal((await get(2_000))?.outcome, "filtered");
    await store.putReceipt({ ...receipt, deliveryId: "e", at: 2_500, expiresAt: 2_600 });
    assert.deepEqual((await store.receipts({ webhookId, limit: 9 })).map(({ deliveryId }) => deliveryId), ["e", "d"]);
    await store.pruneReceipts({ now: 2_600 });
    assert.deepEqual((await store.receipts({ webhookId, limit: 9 })).map(({ deliveryId }) => deliveryId), ["d"]);
    await store.remove({ orgId: "default", id: webhookId });
    assert.deepEqual(await store.receipts({ webhookId, limit: 9 }), []);
  });
}
