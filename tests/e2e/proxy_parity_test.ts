/** One body of tests, against the provider itself and against the hub in front of it: a client cannot tell them apart. */
import assert from "node:assert/strict";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";
import OpenAI from "openai";
import type { FakeProvider } from "../support/fake_provider/fake_provider.ts";
import { proxyWorld } from "./_proxy_world.ts";

const MODEL = "fake-large";
/** Several: one that was answered 429 rests. */
const KEYS = ["sk-fake-1", "sk-fake-2", "sk-fake-3"];
const user = (content: string) => [{ role: "user" as const, content }];
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

interface Side {
  readonly client: OpenAI;
  readonly baseURL: string;
  readonly apiKey: string;
  readonly fake: FakeProvider;
}

/** What each step saw, without what differs from call to call. */
type Body = (side: Side) => Promise<unknown>;

const BODIES: Readonly<Record<string, Body>> = {
  "the streaming helper's events, message and usage": async ({ client }) => {
    const seen: string[] = [];
    const stream = client.chat.completions.stream({
      model: MODEL,
      messages: user("say:one two three"),
      stream_options: { include_usage: true },
    });
    stream.on("content", (delta) => seen.push(delta)).on("end", () => seen.push("end"));
    const completion = await stream.finalChatCompletion();
    return [seen, completion.choices, await stream.totalUsage()];
  },

  "the streaming helper is aborted by its caller": async ({ client, fake }) => {
    fake.fail({ kind: "slow-chunks", ms: 30 });
    const stream = client.chat.completions.stream({ model: MODEL, messages: user(`say:${"w ".repeat(100)}`) });
    stream.on("content", () => stream.abort());
    await assert.rejects(stream.done(), OpenAI.APIUserAbortError);
    return stream.aborted;
  },

  "the tool runner, whole and streamed": async ({ client }) => {
    const ask = { model: MODEL, messages: user('tool:weather {"place": "Bern"}'), tools: [WEATHER] };
    const whole = client.chat.completions.runTools(ask);
    const results: string[] = [];
    whole.on("functionToolCallResult", (result) => results.push(result));
    const first = await whole.finalContent();
    const streamed = client.chat.completions.runTools({ ...ask, stream: true });
    return [first, results, await streamed.finalContent(), whole.messages.map(({ role }) => role)];
  },

  "parallel tool calls of one answer": async ({ client }) => {
    const runner = client.chat.completions.runTools({
      model: MODEL,
      messages: user('tool:weather {"place": "Bern"}\ntool:weather {"place": "Rome"}'),
      tools: [WEATHER],
    });
    await runner.done();
    return runner.messages.filter(({ role }) => role === "tool").map(({ content }) => content);
  },

  "structured output is parsed by the helper": async ({ client }) => {
    const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
    const { choices: [choice] } = await client.chat.completions.create({
      model: MODEL,
      messages: user("n?"),
      response_format: { type: "json_schema", json_schema: { name: "n", schema, strict: true } },
    });
    return JSON.parse(choice?.message.content ?? "");
  },

  "a response's lifecycle": async ({ client }) => {
    const made = await client.responses.create({ model: MODEL, input: "say:kept" });
    const got = await client.responses.retrieve(made.id);
    const next = await client.responses.create({ model: MODEL, input: "say:x", previous_response_id: made.id });
    await client.responses.delete(made.id);
    const gone = await failureOf(() => client.responses.retrieve(made.id));
    const later = await client.responses.create({ model: MODEL, input: "say:later", background: true });
    const cancelled = await client.responses.cancel(later.id);
    return [
      made.output_text,
      made.usage,
      got.id === made.id,
      next.previous_response_id === made.id,
      { ...gone, message: "" }, // which names the id
      later.status,
      cancelled.status,
    ];
  },

  "a response's stream, event by event": async ({ client }) => {
    const types: string[] = [];
    let text = "";
    const stream = client.responses.stream({ model: MODEL, input: "say:x y z" });
    for await (const event of stream) {
      types.push(event.type);
      if (event.type === "response.output_text.delta") text += event.delta;
    }
    return [types, text, (await stream.finalResponse()).output_text];
  },

  "embeddings": async ({ client }) => {
    const { data, usage } = await client.embeddings.create({ model: MODEL, input: ["a", "b"] });
    return [data, usage];
  },

  "the AI SDK generates, streams and calls tools": async ({ baseURL, apiKey }) => {
    const provider = createOpenAICompatible({ name: "it", baseURL, apiKey, includeUsage: true });
    const { text, usage, finishReason } = await generateText({ model: provider(MODEL), prompt: "say:from the SDK" });
    const streamed = streamText({ model: provider(MODEL), prompt: "say:a b c" });
    const parts: string[] = [];
    for await (const part of streamed.textStream) parts.push(part);
    const { inputTokens, outputTokens } = await streamed.usage;
    return [text, usage.inputTokens, usage.outputTokens, finishReason, parts, inputTokens, outputTokens];
  },

  "error classes, by status": async ({ client, fake }) => {
    const failures: unknown[] = [];
    for (const status of [400, 404, 409, 422, 429, 500, 503]) {
      fake.fail({ kind: "status", status, message: `says ${status}`, code: "a_code", retryAfter: "2" });
      failures.push(await failureOf(() => client.chat.completions.create({ model: MODEL, messages: user("x") })));
    }
    return failures;
  },

  "a wrong key": async ({ baseURL }) => {
    const wrong = new OpenAI({ baseURL, apiKey: "wrong", maxRetries: 0 });
    const { name, status, code } = await failureOf(() => wrong.models.list());
    return [name, status, code];
  },

  "a stream that is cut throws in the loop": async ({ client, fake }) => {
    fake.fail({ kind: "cut", after: 3 });
    let text = "";
    await assert.rejects(async () => {
      const stream = await client.chat.completions.create({
        model: MODEL,
        messages: user("say:a b c d"),
        stream: true,
      });
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    });
    return text.length > 0;
  },

  "the client's own retries go on after a failure": async ({ baseURL, apiKey, fake }) => {
    const patient = new OpenAI({ baseURL, apiKey, maxRetries: 2 });
    fake.fail({ kind: "status", status: 500 });
    const { choices } = await patient.chat.completions.create({ model: MODEL, messages: user("say:again") });
    return choices[0]?.message.content;
  },
};

interface Failure {
  readonly name: string;
  readonly status: unknown;
  readonly code: unknown;
  readonly message: string;
  readonly retryAfter: string | null;
}

async function failureOf(call: () => Promise<unknown>): Promise<Failure> {
  try {
    await call();
  } catch (error) {
    assert.ok(error instanceof OpenAI.APIError, String(error));
    const { status, code, message, headers } = error;
    return { name: error.constructor.name, status, code, message, retryAfter: headers?.get("retry-after") ?? null };
  }
  assert.fail("the call should have failed");
}

Deno.test("the openai package and the AI SDK see of the hub what they see of the provider", async (t) => {
  await using world = await proxyWorld([{ keys: KEYS }]);
  const { hub, providers: [fake] } = world;
  assert.ok(fake);
  await world.addProvider(fake, { name: "fake", keys: KEYS, models: [{ id: MODEL }] });
  await world.policy({ default: { retries: 0 } }); // the hub makes no more attempts than a client that asks directly
  const sideOf = (baseURL: string, apiKey: string): Side => ({
    client: new OpenAI({ baseURL, apiKey, maxRetries: 0 }),
    baseURL,
    apiKey,
    fake,
  });
  const direct = sideOf(`${fake.url}/v1`, "sk-fake-1");
  const through = sideOf(`${hub.url}/v1`, hub.key);
  for (const [name, body] of Object.entries(BODIES)) {
    await t.step(name, async () => {
      fake.reset();
      const wanted = await body(direct);
      fake.reset();
      assert.deepEqual(await body(through), wanted);
    });
  }
});
