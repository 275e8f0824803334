import assert from "node:assert/strict";
import { VirtualClock } from "../../engine/memory/mod.ts";
import type { Provider } from "./ports.ts";
import { ProviderHealth } from "./provider_health.ts";
import { routeOf } from "./router.ts";

function provider(name: string, more: Partial<Provider> = {}): Provider {
  return {
    name,
    kind: "openai",
    baseUrl: "http://x/v1",
    keys: ["a", "b"],
    models: [{ id: `${name}-1`, alias: "m" }],
    headers: {},
    timeoutMs: null,
    maxConcurrency: null,
    ...more,
  };
}

const candidate = (of: Provider) => ({ provider: of, model: of.models[0]! });

Deno.test("ProviderHealth.key() gives keys in turn, and none that rests", () => {
  const clock = new VirtualClock();
  const health = new ProviderHealth(clock);
  const p = provider("p");
  assert.deepEqual([health.key("o", p), health.key("o", p), health.key("o", p)], ["a", "b", "a"]);
  health.coolDown("o", p, "a", "limited", 3_000);
  assert.deepEqual([health.key("o", p), health.key("o", p)], ["b", "b"]);
  health.coolDown("o", p, "b", "limited", 1_000);
  assert.equal(health.key("o", p), 1_000);
  clock.advance(1_000);
  assert.equal(health.key("o", p), "b");
  assert.equal(health.key("other", p), "a"); // another organization's are its own
});

Deno.test("ProviderHealth.isOpen() leaves a provider alone after five failures, and lets one try it again", () => {
  const clock = new VirtualClock();
  const health = new ProviderHealth(clock);
  const c = candidate(provider("p"));
  for (let i = 0; i < 5; i++) {
    assert.ok(health.isOpen("o", c));
    health.begin("o", c);
    health.end("o", c, false);
  }
  assert.equal(health.isOpen("o", c), false);
  clock.advance(10_000);
  assert.ok(health.isOpen("o", c));
  health.begin("o", c);
  assert.equal(health.isOpen("o", c), false); // one probe at a time
  health.end("o", c, true);
  assert.ok(health.isOpen("o", c));
});

Deno.test("routeOf() orders by cost, latency or weight, and puts what is broken last", () => {
  const health = new ProviderHealth(new VirtualClock());
  const dear = provider("dear", { models: [{ id: "d", alias: "m", weight: 1, prices: prices(9) }] });
  const cheap = provider("cheap", { models: [{ id: "c", alias: "m", weight: 3, prices: prices(1) }] });
  const providers = [dear, cheap];
  const route = (policy: Parameters<typeof routeOf>[0]["policy"], random = Math.random) =>
    routeOf({ orgId: "o", providers, model: "m", policy, health, random }).map(({ provider: { name } }) => name);
  assert.deepEqual(route({ route: "cost" }), ["cheap", "dear", "cheap"]);
  assert.deepEqual(route({ route: "cost", retries: 0 }), ["cheap", "dear"]);
  health.firstByte("o", candidate(dear), 10);
  health.firstByte("o", candidate(cheap), 500);
  assert.equal(route({ route: "latency" })[0], "dear");
  let first = 0;
  for (let i = 0; i < 4_000; i++) if (route({})[0] === "cheap") first++;
  assert.ok(first > 2_700 && first < 3_300, `${first} of 4000, wanted about 3000`);
  for (let i = 0; i < 5; i++) health.end("o", candidate(cheap), false);
  assert.deepEqual(route({ route: "cost" }), ["dear", "cheap", "dear"]);
  assert.deepEqual(routeOf({ orgId: "o", providers, model: "none", policy: {}, health, random: Math.random }), []);
});

function prices(of: number) {
  return { inputMicrosPerMTok: of, outputMicrosPerMTok: of };
}
