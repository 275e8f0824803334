import assert from "node:assert/strict";
import OpenAI from "openai";
import { until } from "./_hub_process.ts";
import { endedRun, PRICES, type ProxyWorld, proxyWorld } from "./_proxy_world.ts";

const ask = (model: string, content = "say:ok") => ({ model, messages: [{ role: "user" as const, content }] });

Deno.test("a key is for the models that its scopes name, errors have OpenAI's shape, and usage is summed by model", async (t) => {
  await using world = await proxyWorld();
  const { client, hub, providers: [fake] } = world;
  assert.ok(fake);
  const models = ["gpt-large", "gpt-small", "other"].map((id) => ({ id, prices: PRICES }));
  await world.addProvider(fake, { name: "fake", models });
  const keyWith = async (scopes: readonly string[], key?: string) =>
    await hub.api<{ key: string; code?: string; detail?: string }>("POST", "/api/keys", {
      body: { name: "narrow", scopes },
      ...(key !== undefined && { key }),
    });

  await t.step("model:gpt-* calls and sees models whose names begin so, and no others", async () => {
    const one = world.clientOf((await keyWith(["inference:call", "model:gpt-*"])).body.key);
    assert.deepEqual((await one.models.list()).data.map(({ id }) => id), ["gpt-large", "gpt-small"]);
    assert.equal((await one.models.retrieve("gpt-small")).id, "gpt-small");
    await assert.rejects(one.models.retrieve("other"), OpenAI.NotFoundError);
    assert.equal((await one.chat.completions.create(ask("gpt-small"))).choices[0]?.message.content, "ok");
    const count = fake.count;
    for (const stream of [false, true]) {
      await assert.rejects(one.chat.completions.create({ ...ask("other"), stream }), (error) => {
        assert.ok(error instanceof OpenAI.PermissionDeniedError);
        assert.equal(error.code, "insufficient_permissions");
        assert.equal(error.type, "invalid_request_error");
        assert.match(error.message, /model:other/);
        return true;
      });
    }
    await assert.rejects(one.embeddings.create({ model: "other", input: "x" }), OpenAI.PermissionDeniedError);
    await assert.rejects(one.responses.create({ model: "other", input: "x" }), OpenAI.PermissionDeniedError);
    assert.equal(fake.count, count, "no provider has heard of it");
  });

  await t.step("a key without inference:call calls nothing, whatever models it names", async () => {
    const one = world.clientOf((await keyWith(["model:gpt-*"])).body.key);
    await assert.rejects(one.chat.completions.create(ask("gpt-small")), OpenAI.PermissionDeniedError);
  });

  await t.step("who is narrowed hands out no wider key", async () => {
    const { body: { key } } = await keyWith(["keys:write", "inference:call", "model:gpt-*"]);
    const wider = await keyWith(["inference:call"], key);
    assert.equal(wider.status, 403, JSON.stringify(wider.body));
    assert.match(wider.body.detail ?? "", /some models only/);
    assert.equal((await keyWith(["inference:call", "model:*"], key)).status, 403);
    assert.equal((await keyWith(["inference:call", "model:gpt-small"], key)).status, 201);
  });

  await t.step("a step of a call is taken by its own organization only", async () => {
    const made = await hub.api<{ key: { key: string } }>("POST", "/api/organizations", { body: { id: "strangers" } });
    fake.fail({ kind: "slow", ms: 2_000 });
    const answer = client.chat.completions.create(ask("other"));
    const running = async () =>
      (await hub.api<{ items: { id: string }[] }>("GET", "/api/runs?workflow=proxy_call&status=running")).body.items;
    await until("the provider is asked", async () => (await running()).length === 1);
    const [run] = await running();
    const { body: { input } } = await hub.api<{ input: unknown }>("GET", `/api/runs/${run?.id}`);
    const { call } = input as { call: string };
    for (const step of ["authorise", "reserve", "attempt", "settle"]) {
      const taken = await hub.api("POST", `/api/operations/inference.${step}`, {
        key: made.body.key.key,
        body: { call },
      });
      assert.match(JSON.stringify(taken.body), /CALL_LOST/, step);
    }
    assert.equal((await answer).choices[0]?.message.content, "ok");
  });

  await t.step("what nothing answers below /v1 is an error as OpenAI has it", async () => {
    const read = async (method: string, path: string) => {
      const answer = await fetch(`${hub.url}${path}`, { method, headers: { authorization: `Bearer ${hub.key}` } });
      return { status: answer.status, headers: answer.headers, body: await answer.json() };
    };
    const unknown = await read("POST", "/v1/images/generations");
    assert.equal(unknown.status, 404);
    assert.equal(unknown.body.error.code, "unknown_url");
    assert.equal(unknown.body.error.type, "invalid_request_error");
    assert.equal(unknown.body.error.param, null);
    assert.match(unknown.body.error.message, /POST \/v1\/images\/generations/);
    assert.notEqual(unknown.headers.get("x-request-id"), null);
    const method = await read("DELETE", "/v1/chat/completions");
    assert.equal(method.status, 405);
    assert.equal(method.headers.get("allow"), "POST");
    assert.equal(typeof method.body.error.message, "string");
    assert.equal((await read("GET", "/v11")).body.code, "ROUTE_NOT_FOUND", "elsewhere it is a problem");
    await assert.rejects(client.images.generate({ prompt: "x" }), OpenAI.NotFoundError);
  });

  await t.step("calls that fail leave no dead letters", async () => {
    await world.policy({ default: { retries: 0 } });
    fake.fail({ kind: "status", status: 500 });
    await assert.rejects(client.chat.completions.create(ask("other")), OpenAI.InternalServerError);
    await until("its run has failed", async () => {
      const { body } = await hub.api<{ items: unknown[] }>("GET", "/api/runs?workflow=proxy_call&status=failed");
      return body.items.length > 0;
    });
    // Another run that fails does leave one: the list is not simply empty.
    const template = { type: "operation", props: { name: "core.fail", key: "no", input: {} }, children: [] };
    await hub.api("PUT", "/api/workflows/failing", { body: { template } });
    await hub.api("POST", "/api/workflows/failing/runs", { headers: { prefer: "wait=10" } });
    const letters = await until("the other's dead letter", async () => {
      const { body } = await hub.api<{ items: { workflow: string }[] }>("GET", "/api/dead-letters");
      return body.items.length > 0 && body.items;
    });
    assert.deepEqual(letters.map(({ workflow }) => workflow), ["failing"]);
  });

  await t.step(
    "usage is summed by the model that answered, of calls with and without a budget, and of those cut off",
    async () => {
      await hub.api("PUT", "/api/budgets/session/s1", { body: { costMicros: 1_000_000 } });
      const before = await usage(world);
      const paid = world.clientOf(hub.key, { "x-hub-session": "s1" });
      const first = await paid.chat.completions.create(ask("gpt-large"));
      const second = await client.chat.completions.create(ask("gpt-large", "say:another answer"));
      fake.fail({ kind: "cut", after: 3 });
      const { data: stream, response } = await client.chat.completions.create({
        ...ask("other", "say:a b c d e"),
        stream: true,
      })
        .withResponse();
      await assert.rejects(async () => {
        for await (const _ of stream);
      });
      const { error } = await endedRun(hub, response.headers.get("x-hub-run-id") ?? "");
      const { usage: cut } = (error as { details: { usage: { inputTokens: number; outputTokens: number } } }).details;
      const wanted = new Map([
        ["fake/gpt-large", (first.usage?.total_tokens ?? 0) + (second.usage?.total_tokens ?? 0)],
        ["fake/other", cut.inputTokens + cut.outputTokens],
      ]);
      await until("usage by model", async () => {
        const now = await usage(world);
        return [...wanted].every(([model, tokens]) => (now.get(model) ?? 0) - (before.get(model) ?? 0) === tokens);
      });
    },
  );
});

async function usage({ hub }: ProxyWorld): Promise<ReadonlyMap<string, number>> {
  const { body } = await hub.api<{ items: { group: string; tokens: number }[] }>("GET", "/api/usage?by=model");
  return new Map(body.items.map(({ group, tokens }) => [group, tokens]));
}
