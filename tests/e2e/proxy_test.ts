import assert from "node:assert/strict";
import OpenAI from "openai";
import { endedRun, PRICES, proxyWorld } from "./_proxy_world.ts";

const ask = (content: string) => ({ model: "fast", messages: [{ role: "user" as const, content }] });

Deno.test("an OpenAI client works against the hub as against its provider", async (t) => {
  await using world = await proxyWorld();
  const { client, hub, providers: [fake] } = world;
  assert.ok(fake);
  await world.addProvider(fake, {
    name: "fake",
    models: [{ id: "fake-large", alias: "fast", prices: PRICES }, { id: "fake-embed" }],
  });

  await t.step("a chat completion, which is a run with its usage", async () => {
    const { data, response } = await client.chat.completions.create(ask("say:Hello there")).withResponse();
    assert.equal(data.choices[0]?.message.content, "Hello there");
    assert.equal(fake.requests.at(-1)?.key, "sk-fake-1");
    const runId = response.headers.get("x-hub-run-id") ?? "";
    const run = await endedRun(hub, runId);
    assert.equal(run["status"], "completed");
    const { usage } = run["output"] as { usage: Record<string, unknown> };
    assert.equal(usage["inputTokens"], data.usage?.prompt_tokens);
    assert.equal(usage["outputTokens"], data.usage?.completion_tokens);
    assert.equal(usage["countedBy"], "provider");
    assert.equal(usage["costMicros"], Math.ceil(3 * Number(usage["inputTokens"]) + 15 * Number(usage["outputTokens"])));
    const graph = await hub.api<{ nodes: { key: string; status: string }[] }>("GET", `/api/runs/${runId}/graph`);
    const statuses = Object.fromEntries(graph.body.nodes.map(({ key, status }) => [key, status]));
    assert.equal(statuses["primary"], "completed");
    assert.equal(statuses["fallback"], "skipped");
    assert.equal(statuses["settle"], "completed");
  });

  await t.step("a stream, with and without the usage that was asked for", async () => {
    for (const include_usage of [true, false]) {
      const stream = await client.chat.completions.create({
        ...ask("say:one two three"),
        stream: true,
        ...(include_usage && { stream_options: { include_usage } }),
      });
      let text = "";
      let usages = 0;
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? "";
        if (chunk.usage) usages++;
      }
      assert.equal(text, "one two three");
      assert.equal(usages, include_usage ? 1 : 0);
      const sent = fake.requests.at(-1)?.body as { stream_options: unknown };
      assert.deepEqual(sent.stream_options, { include_usage: true });
    }
  });

  await t.step("fields that the hub does not know pass through untouched", async () => {
    const extra = { seed: 7, logit_bias: { "1": 2 }, future_field: { deep: [1, null, "x"] }, n: 2 };
    const answer = await client.chat.completions.create({ ...ask("hi"), ...extra });
    assert.equal(answer.choices.length, 2);
    const { model: _model, messages: _messages, ...rest } = fake.requests.at(-1)?.body as Record<string, unknown>;
    assert.deepEqual(rest, extra);
  });

  await t.step("models and embeddings", async () => {
    const models = await client.models.list();
    assert.deepEqual(models.data.map(({ id }) => id), ["fast", "fake-embed"]);
    assert.equal((await client.models.retrieve("fast")).owned_by, "fake");
    await assert.rejects(client.models.retrieve("none"), OpenAI.NotFoundError);
    const { data, usage } = await client.embeddings.create({ model: "fake-embed", input: ["a", "b"] });
    assert.equal(data.length, 2);
    assert.ok(usage.total_tokens > 0);
  });

  await t.step("errors have OpenAI's classes, status and shape", async () => {
    await assert.rejects(client.chat.completions.create({ ...ask("x"), model: "none" }), (error) => {
      assert.ok(error instanceof OpenAI.NotFoundError);
      assert.equal(error.code, "model_not_found");
      assert.equal(error.param, "model");
      return true;
    });
    await assert.rejects(world.clientOf("wrong").chat.completions.create(ask("x")), (error) => {
      assert.ok(error instanceof OpenAI.AuthenticationError);
      assert.equal(error.code, "invalid_api_key");
      return true;
    });
    fake.fail({ kind: "status", status: 400, message: "No such thing", code: "bad_thing" });
    await assert.rejects(client.chat.completions.create(ask("x")), (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError);
      assert.match(error.message, /No such thing/);
      assert.equal(error.code, "bad_thing");
      return true;
    });
    await world.policy({ default: { retries: 0 } });
    fake.fail({ kind: "status", status: 500 });
    await assert.rejects(client.chat.completions.create(ask("x")), OpenAI.InternalServerError);
    fake.fail({ kind: "status", status: 429, retryAfter: "3" });
    await assert.rejects(client.chat.completions.create(ask("x")), (error) => {
      assert.ok(error instanceof OpenAI.RateLimitError);
      assert.equal(error.headers.get("retry-after"), "3");
      return true;
    });
  });
});
