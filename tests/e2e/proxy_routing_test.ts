import assert from "node:assert/strict";
import OpenAI from "openai";
import { endedRun, PRICES, proxyWorld } from "./_proxy_world.ts";

const ask = (content: string, more: object = {}) => ({
  model: "fast",
  messages: [{ role: "user" as const, content }],
  ...more,
});

Deno.test("calls go round what fails, also in a stream before its first token, and money is never exceeded", async (t) => {
  await using world = await proxyWorld([{}, {}]);
  const { client, hub, providers: [first, second] } = world;
  assert.ok(first && second);
  // By cost: the first is always asked first.
  await world.addProvider(first, {
    name: "first",
    keys: ["sk-a", "sk-b"],
    models: [{ id: "one", alias: "fast", prices: { inputMicrosPerMTok: 1, outputMicrosPerMTok: 1 } }],
  });
  await world.addProvider(second, { name: "second", models: [{ id: "two", alias: "fast", prices: PRICES }] });
  await world.policy({ default: { route: "cost" } });

  const served = async (more: object = {}) => {
    const { data, response } = await client.chat.completions.create(ask("say:ok", more) as never).withResponse();
    const provider = response.headers.get("x-hub-provider");
    return { data: data as OpenAI.ChatCompletion, provider, runId: response.headers.get("x-hub-run-id") ?? "" };
  };

  await t.step("a provider that fails is gone round, and the graph shows it", async () => {
    first.fail({ kind: "status", status: 500 });
    const { provider, runId } = await served();
    assert.equal(provider, "second");
    const run = await endedRun(hub, runId);
    assert.equal(run["status"], "completed");
    const graph = await hub.api<{ nodes: { key: string; status: string; error?: { code: string } }[] }>(
      "GET",
      `/api/runs/${runId}/graph`,
    );
    const primary = graph.body.nodes.find(({ key }) => key === "primary");
    assert.equal(primary?.status, "failed");
    assert.equal(primary?.error?.code, "PROVIDER_ATTEMPT_FAILED");
    assert.equal(graph.body.nodes.find(({ key }) => key === "fallback")?.status, "completed");
  });

  await t.step("a stream that is cut, or malformed, before its first token is asked for elsewhere", async () => {
    for (const kind of ["cut", "malformed"] as const) {
      first.fail({ kind, after: 0 });
      const { data: stream, response } = await client.chat.completions.create({ ...ask("say:a b c"), stream: true })
        .withResponse();
      let text = "";
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
      assert.equal(text, "a b c");
      assert.equal(response.headers.get("x-hub-provider"), "second");
    }
  });

  await t.step("one that is cut after its first token ends with an error, and is charged", async () => {
    first.fail({ kind: "cut", after: 3 });
    const { data: stream, response } = await client.chat.completions.create({ ...ask("say:a b c d e"), stream: true })
      .withResponse();
    let text = "";
    await assert.rejects(async () => {
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    }, OpenAI.APIError);
    assert.match(text, /^a/);
    const run = await endedRun(hub, response.headers.get("x-hub-run-id") ?? "");
    assert.equal(run["status"], "failed");
    const { code, details } = run["error"] as { code: string; details: { usage: { outputTokens: number } } };
    assert.equal(code, "PROVIDER_BROKE_OFF");
    assert.ok(details.usage.outputTokens > 0);
  });

  await t.step("a key that is limited rests while another is used", async () => {
    first.fail({ kind: "status", status: 429, retryAfter: "60", key: "sk-a" });
    for (let i = 0; i < 4; i++) await served();
    first.reset();
    second.reset();
    for (let i = 0; i < 3; i++) assert.equal((await served()).provider, "first");
    assert.equal(new Set(first.requests.map(({ key }) => key)).size, 1);
  });

  await t.step("usage that the provider does not give is counted, and the record says so", async () => {
    first.fail({ kind: "no-usage" });
    const { runId } = await served();
    const { usage } = (await endedRun(hub, runId))["output"] as { usage: Record<string, unknown> };
    assert.equal(usage["countedBy"], "hub");
    assert.ok(Number(usage["inputTokens"]) > 0 && Number(usage["outputTokens"]) > 0);
  });

  await t.step("requests per minute are limited, with OpenAI's error and Retry-After", async () => {
    await world.policy({ default: { route: "cost" }, models: { fast: { limits: { requestsPerMinute: 2 } } } });
    const answers = await Promise.allSettled(Array.from({ length: 8 }, () => served()));
    const refused = answers.flatMap((one) => one.status === "rejected" ? [one.reason] : []);
    assert.ok(refused.length >= 4, `${refused.length} were refused`); // the minute may turn in between
    for (const error of refused) {
      assert.ok(error instanceof OpenAI.RateLimitError);
      assert.equal(error.code, "rate_limit_exceeded");
      assert.ok(Number(error.headers.get("retry-after")) >= 1);
    }
    await world.policy({ default: { route: "cost" } });
  });

  await t.step("a budget of money is never passed by calls at once", async () => {
    const limit = 60_000;
    await hub.api("PUT", "/api/budgets/session/s1", { body: { costMicros: limit } });
    const one = world.clientOf(hub.key, { "x-hub-session": "s1" });
    await world.policy({ default: { retries: 0 } });
    await world.addProvider(first, { name: "first", models: [{ id: "one", alias: "fast", prices: PRICES }] });
    const calls = Array.from(
      { length: 40 },
      (_, i) => one.chat.completions.create(ask(`say:${"word ".repeat(20 + i)}`, { max_tokens: 400 }) as never),
    );
    const done = await Promise.allSettled(calls);
    assert.ok(done.some(({ status }) => status === "fulfilled"));
    const refused = done.flatMap((call) => call.status === "rejected" ? [call.reason] : []);
    assert.ok(refused.length > 0);
    for (const error of refused) {
      assert.ok(error instanceof OpenAI.RateLimitError);
      assert.equal(error.code, "insufficient_quota");
    }
    const seen = async () =>
      (await hub.api<{ spent: { costMicros: number }; reserved: { costMicros: number } }>(
        "GET",
        "/api/budgets/session/s1",
      )).body;
    let budget = await seen();
    while (budget.reserved.costMicros > 0) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      budget = await seen();
    }
    assert.ok(budget.spent.costMicros > 0);
    assert.ok(budget.spent.costMicros <= limit, `${budget.spent.costMicros} of ${limit}`);
  });
});
