import assert from "node:assert/strict";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";
import OpenAI from "openai";
import { proxyWorld } from "./_proxy_world.ts";

const WEATHER = {
  type: "function" as const,
  function: {
    name: "weather",
    description: "The weather of a place",
    parameters: { type: "object", properties: { place: { type: "string" } }, required: ["place"] },
    parse: JSON.parse,
    function: ({ place }: { place: string }) => `sunny in ${place}`,
  },
};

Deno.test("OpenAI's helpers and the AI SDK work against OpenAI's and Anthropic's wires", async (t) => {
  await using world = await proxyWorld();
  const { client, providers: [fake] } = world;
  assert.ok(fake);
  await world.addProvider(fake, { name: "oa", models: [{ id: "fake-large", alias: "oa" }] });
  await world.addProvider(fake, {
    name: "an",
    kind: "anthropic",
    models: [{ id: "fake-claude", alias: "an", prices: { inputMicrosPerMTok: 1, outputMicrosPerMTok: 1 } }],
  });

  for (const model of ["oa", "an"]) {
    await t.step(`${model}: chat, with usage`, async () => {
      const answer = await client.chat.completions.create({
        model,
        messages: [{ role: "system", content: "Be short" }, { role: "user", content: "say:Good day" }],
        temperature: 0,
        stop: ["END"],
      });
      assert.equal(answer.object, "chat.completion");
      assert.equal(answer.choices[0]?.message.content, "Good day");
      assert.equal(answer.choices[0]?.finish_reason, "stop");
      assert.ok((answer.usage?.prompt_tokens ?? 0) > 0 && (answer.usage?.completion_tokens ?? 0) > 0);
    });

    await t.step(`${model}: the streaming helper puts the message together`, async () => {
      const stream = client.chat.completions.stream({ model, messages: [{ role: "user", content: "say:one two" }] });
      const message = await stream.finalMessage();
      assert.equal(message.content, "one two");
    });

    await t.step(`${model}: the tool runner goes round until the answer`, async () => {
      const runner = client.chat.completions.runTools({
        model,
        messages: [{ role: "user", content: 'tool:weather {"place": "Bern"}' }],
        tools: [WEATHER],
      });
      assert.match(String(await runner.finalContent()), /sunny in Bern/);
    });

    await t.step(`${model}: the AI SDK generates and streams`, async () => {
      const provider = createOpenAICompatible({ name: "hub", baseURL: `${world.hub.url}/v1`, apiKey: world.hub.key });
      const { text, usage } = await generateText({ model: provider(model), prompt: "say:from the SDK" });
      assert.equal(text, "from the SDK");
      assert.ok((usage.inputTokens ?? 0) > 0);
      let streamed = "";
      for await (const part of streamText({ model: provider(model), prompt: "say:a b c" }).textStream) streamed += part;
      assert.equal(streamed, "a b c");
    });
  }

  await t.step("structured output", async () => {
    const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
    const answer = await client.chat.completions.create({
      model: "oa",
      messages: [{ role: "user", content: "n?" }],
      response_format: { type: "json_schema", json_schema: { name: "n", schema, strict: true } },
    });
    assert.deepEqual(JSON.parse(answer.choices[0]?.message.content ?? ""), { n: 7 });
  });

  await t.step("responses, streamed and kept, and their lifecycle", async () => {
    const made = await client.responses.create({ model: "oa", input: "say:kept" });
    assert.equal(made.output_text, "kept");
    assert.equal((await client.responses.retrieve(made.id)).id, made.id);
    const next = await client.responses.create({ model: "oa", input: "say:more", previous_response_id: made.id });
    assert.equal(next.previous_response_id, made.id);
    await client.responses.delete(made.id);
    await assert.rejects(client.responses.retrieve(made.id), OpenAI.NotFoundError);
    const later = await client.responses.create({ model: "oa", input: "say:later", background: true });
    assert.equal(later.status, "queued");
    assert.equal((await client.responses.cancel(later.id)).status, "cancelled");
    const types: string[] = [];
    let text = "";
    for await (const event of await client.responses.create({ model: "oa", input: "say:x y", stream: true })) {
      types.push(event.type);
      if (event.type === "response.output_text.delta") text += event.delta;
    }
    assert.equal(text, "x y");
    assert.equal(types.at(0), "response.created");
    assert.equal(types.at(-1), "response.completed");
  });

  await t.step("a caller that goes away ends the provider's stream", async () => {
    fake.fail({ kind: "slow-chunks", ms: 50 });
    const stream = await client.chat.completions.create({
      model: "oa",
      messages: [{ role: "user", content: `say:${"w ".repeat(200)}` }],
      stream: true,
    });
    for await (const _ of stream) break; // which closes the connection
    const { body } = await world.hub.api<{ items: { id: string }[] }>("GET", "/api/runs?workflow=proxy_call&limit=1");
    const [{ id } = { id: "" }] = body.items;
    for (let status = ""; status !== "completed" && status !== "failed";) {
      status = String((await world.hub.api("GET", `/api/runs/${id}`)).body["status"]);
    }
  });

  await t.step("an exact cache answers the same request again, where the policy says so", async () => {
    await world.policy({ models: { oa: { cacheSeconds: 60 } } });
    const ask = () =>
      client.chat.completions.create({ model: "oa", messages: [{ role: "user", content: "cached?" }] }).withResponse();
    const first = await ask();
    let second = await ask();
    // What an answer leaves in the cache is there once its run has settled.
    for (let tries = 0; second.response.headers.get("x-hub-cache") !== "hit" && tries < 50; tries++) {
      second = await ask();
    }
    assert.equal(second.response.headers.get("x-hub-cache"), "hit");
    assert.equal(second.data.choices[0]?.message.content, first.data.choices[0]?.message.content);
  });

  await t.step("a guard refuses, and one that is not there lets nothing through", async () => {
    await world.policy({ models: { oa: { before: "core.fail" } } });
    const ask = () => client.chat.completions.create({ model: "oa", messages: [{ role: "user", content: "x" }] });
    await assert.rejects(ask(), (error) => error instanceof OpenAI.APIError && error.code === "guard_failed");
  });
});
