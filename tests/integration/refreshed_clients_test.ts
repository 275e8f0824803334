/** Documents that are fetched again by themselves, and providers that are asked whether their keys are good. */
import assert from "node:assert/strict";
import type { Clock } from "../../engine/ports.ts";
import { createSystemClock } from "../../src/system/clock.ts";
import { startService } from "../support/clients/service.ts";
import { CALLER, clientsWorld, eventually } from "./_clients_world.ts";

/** Like nothing else that is waited for. */
const REFRESH_MS = 777_000;

/** The machine's time, but for what is due in the time of a refresh: that comes when it is told to. */
class HeldRefreshes implements Clock {
  readonly #inner = createSystemClock();
  readonly #held = new Set<() => void>();

  get count(): number {
    return this.#held.size;
  }

  now(): number {
    return this.#inner.now();
  }

  at(due: number, callback: () => void): () => void {
    if (Math.abs(due - this.now() - REFRESH_MS) > 1_000) return this.#inner.at(due, callback);
    this.#held.add(callback);
    return () => this.#held.delete(callback);
  }

  afterTurn(callback: () => void): void {
    this.#inner.afterTurn(callback);
  }

  ring(): void {
    const due = [...this.#held];
    this.#held.clear();
    for (const callback of due) callback();
  }
}

Deno.test("a document with refreshSeconds is fetched again each time, goes on through a failure, and ends with its client", async () => {
  const clock = new HeldRefreshes();
  const service = startService();
  const world = clientsWorld({ allowPrivate: [service.host], clock });
  const state = () => world.pool.state("default", "pets");
  try {
    await world.clients.put({
      caller: CALLER,
      name: "pets",
      body: { type: "openapi", spec: `${service.url}/openapi.json`, refreshSeconds: REFRESH_MS / 1000 },
    });
    assert.equal(clock.count, 1);
    service.hasMore = true;
    assert.ok(!world.names().includes("pets.more"));
    clock.ring();
    await eventually("the new operation is there", () => world.names().includes("pets.more"));
    assert.deepEqual((await world.call("pets.more")).data, { more: true });
    await eventually("it will be fetched again", () => clock.count === 1);

    await service.stop();
    clock.ring();
    await eventually("it has failed", () => state()?.error?.code !== undefined);
    assert.equal(state()?.status, "up");
    assert.ok(world.names().includes("pets.more"));
    const again = startService(Number(service.host.split(":")[1]));
    try {
      // After a failure it is tried as soon as after any other, not when the next refresh would be due.
      await eventually("it is well again", () => state()?.error === null);
      assert.ok(!world.names().includes("pets.more"));
      assert.equal(clock.count, 1);
      await world.clients.remove({ caller: CALLER, name: "pets" });
      await eventually("nothing is due any more", () => clock.count === 0);
    } finally {
      await again.stop();
    }
  } finally {
    await service.stop();
    await world.pool.close();
  }
});

interface Asked {
  readonly path: string;
  readonly authorization: string | null;
  readonly apiKey: string | null;
  readonly project: string | null;
}

/** A provider that knows `good` keys, and repeats what it was given to everybody else. */
function startProvider(good: readonly string[]) {
  const asked: Asked[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const { headers, url } = request;
    const authorization = headers.get("authorization");
    const apiKey = headers.get("x-api-key");
    asked.push({ path: new URL(url).pathname, authorization, apiKey, project: headers.get("x-project") });
    const key = apiKey ?? authorization?.replace("Bearer ", "") ?? "";
    if (good.includes(key)) return Response.json({ data: [{ id: "m1" }, { id: "m2" }] });
    return Response.json({ error: `Incorrect API key provided: ${key}` }, { status: 401 });
  });
  const host = `127.0.0.1:${server.addr.port}`;
  return { asked, host, url: `http://${host}/v1`, stop: () => server.shutdown() };
}

Deno.test("test() asks a provider for its models with each key and header, and names the key that is not taken", async () => {
  const [first, second, wrong] = ["sk-first-0123456789", "sk-second-0123456789", "sk-wrong-0123456789"];
  const provider = startProvider([first, second]);
  await using world = clientsWorld({ allowPrivate: [provider.host] });
  const put = (keys: readonly string[], kind: string) =>
    world.clients.put({
      caller: CALLER,
      name: "llm",
      body: {
        type: "llm-provider",
        kind,
        baseUrl: provider.url,
        keys,
        headers: { "x-project": "p-secret-0123456789" },
        models: [{ id: "m1" }],
      },
    });
  const test = () => world.clients.test({ caller: CALLER, name: "llm" });
  try {
    await put([first, second], "openai");
    const good = await test();
    assert.deepEqual([good.ok, good.offers, good.error], [true, 2, null]);
    const project = "p-secret-0123456789";
    assert.deepEqual(provider.asked.splice(0), [
      { path: "/v1/models", authorization: `Bearer ${first}`, apiKey: null, project },
      { path: "/v1/models", authorization: `Bearer ${second}`, apiKey: null, project },
    ]);
    await put([first], "anthropic");
    assert.equal((await test()).ok, true);
    assert.deepEqual(provider.asked.splice(0).map(({ apiKey, authorization }) => [apiKey, authorization]), [
      [first, null],
    ]);
    await put([first, wrong], "openai");
    const bad = await test();
    assert.deepEqual([bad.ok, bad.offers, bad.error?.code], [false, null, "EXECUTION_ERROR"]);
    assert.match(bad.error?.message ?? "", /answered 401 to key:1$/);
    assert.ok(!JSON.stringify(bad).includes("sk-"));
  } finally {
    await provider.stop();
  }
  const away = await test();
  assert.equal(away.ok, false);
  assert.ok(!JSON.stringify(away).includes("sk-"));
});
