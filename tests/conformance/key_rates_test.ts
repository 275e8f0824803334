import assert from "node:assert/strict";
import { KeyRates, memoryRateStore } from "../../src/auth/mod.ts";
import { Guesses } from "../../src/auth/mod.ts";
import { createRateStore } from "../../src/storage/mod.ts";
import { databaseKinds, testDatabase } from "../support/test_database.ts";

const key = { keyId: "k", limits: { requests: 40 } };
const START = 1_800_000_000_000 - 1_800_000_000_000 % 60_000;

async function admitted(rates: readonly KeyRates[], turns: number): Promise<number> {
  const all = await Promise.all(
    Array.from({ length: turns }, (_, turn) => rates[turn % rates.length]!.take(key, "requests")),
  );
  return all.filter((state) => state?.admitted === true).length;
}

Deno.test("KeyRates take() lets several hubs together do no more than the limit, and all of it", async () => {
  const clock = { nowMs: START };
  const now = () => clock.nowMs;
  const store = memoryRateStore(now);
  const hubs = [0, 1, 2].map(() => new KeyRates(store, now));
  assert.equal(await admitted(hubs, 120), 40);
  assert.equal(await admitted(hubs, 30), 0);
  clock.nowMs += 60_000;
  assert.equal(await admitted(hubs, 120), 40);
});

Deno.test("KeyRates take() says how much is left and until when, and asks nothing for keys without limits", async () => {
  const clock = { nowMs: START + 45_000 };
  let asked = 0;
  const store = memoryRateStore(() => clock.nowMs);
  const counting = { take: (params: Parameters<typeof store.take>[0]) => (asked++, store.take(params)) };
  const rates = new KeyRates(counting, () => clock.nowMs);
  assert.equal(await rates.take({ keyId: "k" }, "requests"), null);
  assert.equal(asked, 0);
  assert.deepEqual(await rates.take(key, "requests"), { limit: 40, remaining: 39, resetMs: 15_000, admitted: true });
  for (let turn = 1; turn < 40; turn++) await rates.take(key, "requests");
  assert.equal(asked, 20);
  assert.deepEqual(await rates.take(key, "requests"), { limit: 40, remaining: 0, resetMs: 15_000, admitted: false });
  await rates.take(key, "requests");
  assert.equal(asked, 21);
});

for (const kind of await databaseKinds()) {
  Deno.test(`the rate store grants no more than the limit to hubs that ask at once (${kind})`, async () => {
    const database = await testDatabase(kind);
    try {
      const store = createRateStore(database.db);
      const take = () => store.take({ keyId: "k", kind: "requests", want: 7, limit: 100 });
      const first = await take();
      // A minute that ends within the test starts again: then there is nothing to compare.
      if (first.leftMs < 5_000) return;
      const leases = [first, ...await Promise.all(Array.from({ length: 20 }, take))];
      assert.equal(leases.reduce((sum, { granted }) => sum + granted, 0), 100);
      assert.ok(leases.every(({ granted, leftMs }) => granted >= 0 && leftMs > 0 && leftMs <= 60_000));
      const other = await store.take({ keyId: "k", kind: "starts", want: 1, limit: 1 });
      assert.deepEqual([other.granted, other.used], [1, 1]);
    } finally {
      await database.drop();
    }
  });
}

Deno.test("Guesses slows an address and keys that start alike, for a minute, in bounded memory", () => {
  const clock = { nowMs: 0 };
  const guesses = new Guesses({ now: () => clock.nowMs, maxEntries: 50 });
  for (let turn = 0; turn < 100; turn++) guesses.wrong({ address: "1.2.3.4", key: `alk_${turn}_${"x".repeat(20)}` });
  assert.ok(guesses.waitMs({ address: "1.2.3.4", key: "alk_fresh_one" }) > 0);
  assert.equal(guesses.waitMs({ address: "5.6.7.8", key: "alk_fresh_one" }), 0);
  for (let turn = 0; turn < 20; turn++) guesses.wrong({ address: `9.9.9.${turn}`, key: `alk_seen12${turn}` });
  assert.ok(guesses.waitMs({ address: "7.7.7.7", key: "alk_seen12345" }) > 0);
  clock.nowMs += 60_000;
  assert.equal(guesses.waitMs({ address: "1.2.3.4", key: "alk_seen12345" }), 0);
});
