import assert from "node:assert/strict";
import { startHubProcess, until } from "./_hub_process.ts";
import { PRICES, proxyWorld } from "./_proxy_world.ts";

interface Budget {
  readonly spent: { readonly costMicros: number; readonly calls: number };
  readonly reserved: { readonly costMicros: number; readonly calls: number };
}

Deno.test("a hub that is killed in calls of a model leaves their money spent, and their runs ended", async () => {
  await using world = await proxyWorld();
  const { hub, providers: [fake] } = world;
  assert.ok(fake);
  await world.addProvider(fake, { name: "fake", models: [{ id: "one", alias: "fast", prices: PRICES }] });
  await hub.api("PUT", "/api/budgets/session/s1", { body: { costMicros: 1_000_000 } });
  fake.fail({ kind: "hang", times: 5 });
  const client = world.clientOf(hub.key, { "x-hub-session": "s1" });
  const calls = Array.from(
    { length: 5 },
    () =>
      client.chat.completions.create({ model: "fast", max_tokens: 100, messages: [{ role: "user", content: "x" }] }),
  );
  const failed = Promise.allSettled(calls);
  await until("the provider is asked", () => Promise.resolve(fake.count === 5));
  const before = (await hub.api<Budget>("GET", "/api/budgets/session/s1")).body;
  assert.equal(before.reserved.calls, 5);
  assert.equal(before.spent.calls, 0);
  await hub.kill("SIGKILL");
  assert.ok((await failed).every(({ status }) => status === "rejected"));

  await using again = await startHubProcess({ dataDir: hub.dataDir });
  let after = before;
  await until("reservations are settled", async () => {
    after = (await again.api<Budget>("GET", "/api/budgets/session/s1")).body;
    return after.reserved.calls === 0;
  });
  assert.deepEqual(after.spent, before.reserved);
  await until("all runs end", async () => {
    const { body } = await again.api<{ items: { status: string }[] }>("GET", "/api/runs?workflow=proxy_call");
    return body.items.every(({ status }) => status === "failed");
  });
});
