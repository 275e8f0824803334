import assert from "node:assert/strict";
import { FakeProvider } from "./fake_provider.ts";

async function withProvider(work: (provider: FakeProvider) => Promise<void>): Promise<void> {
  const provider = new FakeProvider({ keys: ["k"] });
  try {
    await work(provider);
  } finally {
    await provider.stop();
  }
}

function post(provider: FakeProvider, path: string, body: object, key = "k"): Promise<Response> {
  return fetch(`${provider.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify(body),
  });
}

const ask = (content: string, more: object = {}) => ({
  model: "fake-large",
  messages: [{ role: "user", content }],
  ...more,
});

/** The data of a stream's events. */
async function dataOf(response: Response): Promise<readonly string[]> {
  return (await response.text()).split("\n").filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
}

Deno.test("FakeProvider answers a chat by what was said, with usage, and lets no unknown key in", () =>
  withProvider(async (provider) => {
    const response = await post(provider, "/v1/chat/completions", ask("hello"));
    const { choices, usage } = await response.json();
    assert.equal(choices[0].message.content, "You said: hello");
    assert.deepEqual([usage.prompt_tokens, usage.completion_tokens], [8, 4]);
    const refused = await post(provider, "/v1/chat/completions", ask("hello"), "other");
    assert.equal(refused.status, 401);
    assert.equal((await refused.json()).error.code, "invalid_api_key");
    assert.deepEqual(provider.requests.map(({ key }) => key), ["k", "other"]);
  }));

Deno.test("FakeProvider streams text and tool calls in pieces that add up, with usage where asked", () =>
  withProvider(async (provider) => {
    const body = ask('say:let me look\ntool:search {"q": "a long question"}', {
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await dataOf(await post(provider, "/v1/chat/completions", body));
    assert.equal(chunks.at(-1), "[DONE]");
    const parts = chunks.slice(0, -1).map((chunk) => JSON.parse(chunk));
    const deltas = parts.flatMap(({ choices }) => choices).map(({ delta }) => delta);
    assert.equal(deltas.map(({ content }) => content ?? "").join(""), "let me look");
    const args = deltas.flatMap(({ tool_calls = [] }) => tool_calls).map((call) => call.function.arguments).join("");
    assert.deepEqual(JSON.parse(args), { q: "a long question" });
    assert.ok(parts.at(-1).usage.total_tokens > 0);
  }));

Deno.test("FakeProvider answers messages and responses in their own wires", () =>
  withProvider(async (provider) => {
    const message = await post(provider, "/v1/messages", { ...ask("hi"), max_tokens: 100 });
    assert.deepEqual((await message.json()).content, [{ type: "text", text: "You said: hi" }]);
    const response = await (await post(provider, "/v1/responses", { model: "fake-large", input: "hi" })).json();
    assert.equal(response.output[0].content[0].text, "You said: hi");
    const events = await dataOf(
      await post(provider, "/v1/responses", { model: "fake-large", input: "hi", stream: true }),
    );
    assert.deepEqual(events.map((event) => JSON.parse(event).sequence_number), events.map((_, at) => at));
    const again = await fetch(`${provider.url}/v1/responses/${response.id}`, {
      headers: { authorization: "Bearer k" },
    });
    assert.equal((await again.json()).id, response.id);
  }));

Deno.test("FakeProvider fails on demand: status, cut stream, malformed chunk, usage", () =>
  withProvider(async (provider) => {
    provider.fail(
      { kind: "status", status: 429, retryAfter: "2" },
      { kind: "cut", after: 2 },
      { kind: "malformed", after: 1 },
      { kind: "no-usage" },
      { kind: "wrong-usage", input: 1, output: 2 },
    );
    const limited = await post(provider, "/v1/chat/completions", ask("a"));
    assert.deepEqual([limited.status, limited.headers.get("retry-after")], [429, "2"]);
    await limited.body?.cancel();
    const cut = await post(provider, "/v1/chat/completions", ask("a", { stream: true }));
    await assert.rejects(cut.text());
    const malformed = await dataOf(await post(provider, "/v1/chat/completions", ask("a", { stream: true })));
    assert.throws(() => JSON.parse(malformed[1]!));
    assert.equal((await (await post(provider, "/v1/chat/completions", ask("a"))).json()).usage, undefined);
    assert.equal((await (await post(provider, "/v1/chat/completions", ask("a"))).json()).usage.total_tokens, 3);
  }));

Deno.test("FakeProvider gives scripted turns first, and samples structured output", () =>
  withProvider(async (provider) => {
    provider.script({ text: "", toolCalls: [{ name: "broken", arguments: "{not json" }] });
    const scripted = await (await post(provider, "/v1/chat/completions", ask("hello"))).json();
    assert.equal(scripted.choices[0].message.tool_calls[0].function.arguments, "{not json");
    const schema = { type: "object", properties: { name: { type: "string" }, age: { type: "integer" } } };
    const format = { type: "json_schema", json_schema: { name: "person", schema } };
    const structured = await (await post(provider, "/v1/chat/completions", ask("hello", { response_format: format })))
      .json();
    assert.deepEqual(JSON.parse(structured.choices[0].message.content), { name: "text", age: 7 });
    const vectors = await (await post(provider, "/v1/embeddings", { model: "fake-embed", input: ["a", "a", "b"] }))
      .json();
    const [a, same, b] = vectors.data.map(({ embedding }: { embedding: number[] }) => embedding.join());
    assert.equal(a, same);
    assert.notEqual(a, b);
  }));
