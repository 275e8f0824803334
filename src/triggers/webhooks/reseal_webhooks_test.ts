import assert from "node:assert/strict";
import { generateKeyRing } from "../../crypto/mod.ts";
import { createMemoryWebhookStore } from "./memory_webhook_store.ts";
import { resealWebhooks } from "./reseal_webhooks.ts";
import { createWebhooks } from "./webhooks.ts";

const principal = { identity: { id: "ann", scopes: ["*"] }, orgId: "default", keyId: "k", keyName: null };

Deno.test("resealWebhooks() seals with the current key what an older one has sealed, those that overlap included", async () => {
  const [keyRing, store] = [generateKeyRing(), createMemoryWebhookStore()];
  const catalog = { get: () => Promise.resolve(null) };
  const webhooks = createWebhooks({ store, catalog, keyRing, now: () => 1_000 });
  const definition = { kind: "outbound", url: "https://x.example/", events: ["run.failed"] } as const;
  const ids: string[] = [];
  // More than one page of them.
  for (let at = 0; at < 23; at++) {
    const params = { principal, definition: { ...definition, name: `n${at}` }, secret: `first-of-${at}` };
    ids.push((await webhooks.create(params)).webhook.id);
  }
  await webhooks.rotate({ caller: principal, id: ids[0]!, overlapSeconds: 60, secret: "second-of-0" });
  const rotated = keyRing.rotated();
  assert.deepEqual(await resealWebhooks({ store, keyRing: rotated }), { resealed: 23, unreadable: 0 });
  assert.deepEqual(await resealWebhooks({ store, keyRing: rotated }), { resealed: 0, unreadable: 0 });
  const found = await store.find({ id: ids[0]! });
  assert.deepEqual(found?.secrets.map(({ sealed }) => sealed.keyVersion), [2, 2]);
  const opened = await Promise.all(found!.secrets.map(({ sealed }) => rotated.decrypt(sealed)));
  assert.deepEqual(opened, ["second-of-0", "first-of-0"]);
  assert.deepEqual(found?.secrets.map(({ expiresAt }) => expiresAt), [null, 61_000]);
});

Deno.test("resealWebhooks() leaves what the ring cannot open, and does the rest", async () => {
  const [lost, keyRing, store] = [generateKeyRing(), generateKeyRing(), createMemoryWebhookStore()];
  const definition = { kind: "outbound", url: "https://x.example/", events: ["run.failed"] } as const;
  for (const [name, ring] of [["a", lost], ["b", keyRing], ["c", lost], ["d", keyRing]] as const) {
    const webhooks = createWebhooks({
      store,
      catalog: { get: () => Promise.resolve(null) },
      keyRing: ring,
      now: () => 1,
    });
    await webhooks.create({ principal, definition: { ...definition, name } });
  }
  assert.deepEqual(await resealWebhooks({ store, keyRing: keyRing.rotated() }), { resealed: 2, unreadable: 2 });
  const versions = (await store.list(principal)).map(({ secrets }) => secrets[0]?.sealed.keyVersion);
  assert.deepEqual(versions, [1, 2, 1, 2]);
});
