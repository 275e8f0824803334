import assert from "node:assert/strict";
import OpenAI from "openai";
import { container, type HubProcess, until } from "./_hub_process.ts";
import { endedRun, PRICES, proxyWorld } from "./_proxy_world.ts";

const ask = (content: string, more: object = {}) => ({
  model: "fast",
  messages: [{ role: "user" as const, content }],
  max_tokens: 50,
  ...more,
});

interface Amounts {
  readonly costMicros: number;
  readonly tokens: number;
  readonly calls: number;
}
interface Budget {
  readonly spent: Amounts;
  readonly reserved: Amounts;
}
interface Output {
  readonly usage: {
    readonly inputTokens: number;
    readonly outputTokens: number;
    readonly costMicros: number;
    readonly countedBy: string;
  };
  readonly prices: Record<string, number> | null;
}

async function settled(hub: HubProcess, holder: string): Promise<Budget> {
  return await until(`${holder} is settled`, async () => {
    const { body } = await hub.api<Budget>("GET", `/api/budgets/${holder}`);
    return body.reserved.calls === 0 && body;
  });
}

Deno.test("calls of a model are paid for by whoever is named, at the prices that held, for what was used", async (t) => {
  await using world = await proxyWorld();
  const { client, hub, providers: [fake] } = world;
  assert.ok(fake);
  const price = async (inputMicrosPerMTok: number) =>
    await world.addProvider(fake, {
      name: "fake",
      models: [{ id: "one", alias: "fast", prices: { ...PRICES, inputMicrosPerMTok } }],
    });
  await price(PRICES.inputMicrosPerMTok);
  await world.policy({ default: { retries: 0 } });
  const outputOf = async (response: Response) =>
    (await endedRun(hub, response.headers.get("x-hub-run-id") ?? ""))["output"] as Output;

  await t.step(
    "x-hub-run: a call below a run is charged to the run and those above it, and refused beyond",
    async () => {
      const wait = { type: "signal", props: { key: "go", name: "go" }, children: [] };
      await hub.api("PUT", "/api/workflows/inner", { body: { template: container("sequential", [wait]) } });
      const child = { type: "workflow", props: { name: "inner", key: "inner" }, children: [] };
      await hub.api("PUT", "/api/workflows/outer", { body: { template: container("sequential", [child]) } });
      const { body: { id } } = await hub.api<{ id: string }>("POST", "/api/workflows/outer/runs", {
        body: { budget: { costMicros: 4_000 } },
      });
      const inner = await until("the child run", async () => {
        const { body } = await hub.api<{ items: { id: string }[] }>("GET", "/api/runs?workflow=inner");
        return body.items[0]?.id;
      });
      const below = world.clientOf(hub.key, { "x-hub-run": inner });
      const { response } = await below.chat.completions.create(ask("say:below")).withResponse();
      const { usage } = await outputOf(response);
      assert.ok(usage.costMicros > 0);
      const budget = await until("the run's budget", async () => {
        const { body } = await hub.api<Budget>("GET", `/api/budgets/run/${id}`);
        return body.spent.costMicros > 0 && body;
      });
      assert.equal(budget.spent.costMicros, usage.costMicros);
      const done = await Promise.allSettled(
        Array.from({ length: 20 }, () => below.chat.completions.create(ask("say:more"))),
      );
      const refused = done.flatMap((one) => one.status === "rejected" ? [one.reason] : []);
      assert.ok(refused.length > 0 && refused.length < 20, `${refused.length} of 20 were refused`);
      for (const error of refused) {
        assert.ok(error instanceof OpenAI.RateLimitError);
        assert.equal(error.code, "insufficient_quota");
        assert.match(error.message, new RegExp(id));
      }
      const { body: after } = await hub.api<Budget>("GET", `/api/budgets/run/${id}`);
      assert.ok(after.spent.costMicros + after.reserved.costMicros <= 4_000);
      await hub.api("POST", `/api/runs/${id}/abort`, { body: {} });
    },
  );

  await t.step("x-hub-run: a run that is not there, or another organization's, pays for nothing", async () => {
    const count = fake.count;
    const none = world.clientOf(hub.key, { "x-hub-run": crypto.randomUUID() });
    await assert.rejects(none.chat.completions.create(ask("x")), OpenAI.NotFoundError);
    assert.equal(fake.count, count);
  });

  await t.step("a price that changes while a call is under way is the next call's", async () => {
    fake.fail({ kind: "slow", ms: 700 });
    const count = fake.count;
    const first = client.chat.completions.create(ask("say:slow")).withResponse();
    await until("the provider is asked", () => Promise.resolve(fake.count > count));
    await price(7_000_000);
    const old = await outputOf((await first).response);
    assert.equal(old.prices?.["inputMicrosPerMTok"], PRICES.inputMicrosPerMTok);
    assert.equal(old.usage.costMicros, Math.ceil(3 * old.usage.inputTokens + 15 * old.usage.outputTokens));
    const fresh = await until("the new price holds", async () => {
      const output = await outputOf((await client.chat.completions.create(ask("say:slow")).withResponse()).response);
      return output.prices?.["inputMicrosPerMTok"] === 7_000_000 && output;
    });
    assert.equal(fresh.usage.costMicros, Math.ceil(7 * fresh.usage.inputTokens + 15 * fresh.usage.outputTokens));
    await price(PRICES.inputMicrosPerMTok);
  });

  for (const stream of [false, true]) {
    const what = stream ? "a stream" : "an answer";
    await t.step(`${what} without usage is counted by the hub, and charged so`, async () => {
      await hub.api("PUT", `/api/budgets/session/n${stream}`, { body: { tokens: 10_000 } });
      const paying = world.clientOf(hub.key, { "x-hub-session": `n${stream}` });
      fake.fail({ kind: "no-usage" });
      const { data, response } = await paying.chat.completions.create(ask("say:one two three", { stream }) as never)
        .withResponse();
      if (stream) { for await (const _ of data as unknown as AsyncIterable<unknown>); }
      const { usage } = await outputOf(response);
      assert.equal(usage.countedBy, "hub");
      assert.ok(usage.inputTokens > 0 && usage.outputTokens > 0 && usage.outputTokens < 10);
      const { spent } = await settled(hub, `session/n${stream}`);
      assert.equal(spent.tokens, usage.inputTokens + usage.outputTokens);
    });
  }

  await t.step(
    "a stream that is cut after its first token is charged for what it said, counted by the hub",
    async () => {
      await hub.api("PUT", "/api/budgets/session/cut", { body: { tokens: 10_000 } });
      const paying = world.clientOf(hub.key, { "x-hub-session": "cut" });
      fake.fail({ kind: "cut", after: 3 });
      const { data: stream, response } = await paying.chat.completions.create({
        ...ask("say:alpha beta gamma delta epsilon"),
        stream: true,
      }).withResponse();
      await assert.rejects(async () => {
        for await (const _ of stream);
      }, OpenAI.APIError);
      const { error } = await endedRun(hub, response.headers.get("x-hub-run-id") ?? "") as {
        error: { details: { usage: Output["usage"] } };
      };
      const { usage } = error.details;
      assert.equal(usage.countedBy, "hub");
      const { spent } = await settled(hub, "session/cut");
      assert.equal(spent.tokens, usage.inputTokens + usage.outputTokens);
      // Less than the whole of what was to be said, and far less than what was reserved.
      assert.ok(usage.outputTokens > 0 && usage.outputTokens <= 6, `${usage.outputTokens} tokens`);
    },
  );

  await t.step("a client that goes away in the middle pays for what had been said", async () => {
    await hub.api("PUT", "/api/budgets/session/gone", { body: { tokens: 10_000 } });
    const paying = world.clientOf(hub.key, { "x-hub-session": "gone" });
    fake.fail({ kind: "slow-chunks", ms: 50 });
    const stream = await paying.chat.completions.create({ ...ask(`say:${"w ".repeat(500)}`), stream: true });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break; // which closes the connection
    const { spent } = await settled(hub, "session/gone");
    assert.ok(spent.tokens > 0 && spent.tokens < 600, `${spent.tokens} tokens`);
  });

  await t.step(
    "a provider that says it used more than was reserved is believed, and the budget then refuses",
    async () => {
      await hub.api("PUT", "/api/budgets/session/wrong", { body: { tokens: 500 } });
      const paying = world.clientOf(hub.key, { "x-hub-session": "wrong" });
      fake.fail({ kind: "wrong-usage", input: 10_000, output: 10_000 });
      await paying.chat.completions.create(ask("say:x"));
      assert.equal((await settled(hub, "session/wrong")).spent.tokens, 20_000);
      await assert.rejects(
        paying.chat.completions.create(ask("say:x")),
        (error) => error instanceof OpenAI.RateLimitError && error.code === "insufficient_quota",
      );
    },
  );
});
