/** What every store of inference promises, the ones in memory included. */
import assert from "node:assert/strict";
import type { PolicyStore, ResponseOwners } from "../../src/inference/mod.ts";

export function testInferenceStores(
  name: string,
  open: () => Promise<{ readonly policies: PolicyStore; readonly owners: ResponseOwners; close(): Promise<void> }>,
): void {
  Deno.test(`${name}: a policy is what was set last, in its own organization, and its revision rises`, async () => {
    const { policies, close } = await open();
    try {
      assert.deepEqual(await policies.get("a"), { policy: {}, revision: 0 });
      const first = { default: { retries: 1 }, keys: { k: { requestsPerMinute: 5 } } };
      assert.deepEqual(await policies.put("a", first), { policy: first, revision: 1 });
      const second = { models: { m: { cacheSeconds: 3, store: "full" as const } } };
      assert.deepEqual(await policies.put("a", second), { policy: second, revision: 2 });
      assert.deepEqual(await policies.get("a"), { policy: second, revision: 2 });
      assert.deepEqual(await policies.get("b"), { policy: {}, revision: 0 });
    } finally {
      await close();
    }
  });

  Deno.test(`${name}: who keeps a response is known to its organization until it is removed`, async () => {
    const { owners, close } = await open();
    try {
      await owners.put({ orgId: "a", id: "resp_1", provider: "p" });
      await owners.put({ orgId: "a", id: "resp_1", provider: "p" });
      assert.deepEqual(await owners.find({ orgId: "a", id: "resp_1" }), { provider: "p" });
      assert.equal(await owners.find({ orgId: "b", id: "resp_1" }), null);
      await owners.remove({ orgId: "b", id: "resp_1" });
      assert.deepEqual(await owners.find({ orgId: "a", id: "resp_1" }), { provider: "p" });
      await owners.remove({ orgId: "a", id: "resp_1" });
      assert.equal(await owners.find({ orgId: "a", id: "resp_1" }), null);
    } finally {
      await close();
    }
  });
}
