import assert from "node:assert/strict";
import { connectSpoke } from "@alkdev/spoke";
import { Type } from "@alkdev/typebox";
import OpenAI from "openai";
import { until } from "./_hub_process.ts";
import { endedRun, PRICES, proxyWorld } from "./_proxy_world.ts";

const SECRET = "the sparrow flies at midnight";
const ask = (content: string) => ({ model: "fast", messages: [{ role: "user" as const, content }] });

interface Seen {
  readonly request: { readonly messages: readonly { readonly content: string }[] };
  readonly answer?: { readonly choices: readonly { readonly message: { readonly content: string } }[] };
}

Deno.test("guards look at whole answers and at streams, and cannot be gone round", async (t) => {
  await using world = await proxyWorld([{}, {}]);
  const { client, hub, providers: [fake, other] } = world;
  assert.ok(fake && other);
  await world.addProvider(fake, { name: "fake", models: [{ id: "one", alias: "fast", prices: PRICES }] });
  const asked: Seen[] = [];
  const judge = (of: (seen: Seen) => string | undefined) => (input: unknown) => {
    const seen = input as Seen; // as the guide describes it
    asked.push(seen);
    return of(seen)?.includes("forbidden") ? { allow: false, reason: "it is forbidden" } : { allow: true };
  };
  const guard = (name: string, handler: (input: unknown) => unknown) => ({
    namespace: "guard",
    name,
    version: "1.0.0",
    type: "query" as const,
    description: "Judges.",
    accessControl: { requiredScopes: [] },
    inputSchema: Type.Unknown(),
    outputSchema: Type.Unknown(),
    handler,
  });
  const spoke = connectSpoke({
    url: hub.url,
    key: hub.key,
    name: "guards",
    operations: [
      guard("before", judge(({ request }) => request.messages.at(-1)?.content)),
      guard("after", judge(({ answer }) => answer?.choices[0]?.message.content)),
      guard("mild", () => ({ request: { messages: [{ role: "user", content: "say:mild" }] } })),
    ],
  });
  await spoke.ready;
  const streamed = async (content: string) => {
    let text = "";
    for await (const chunk of await client.chat.completions.create({ ...ask(content), stream: true })) {
      text += chunk.choices[0]?.delta.content ?? "";
    }
    return text;
  };
  const isRefused = (error: unknown) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.code, "content_filter");
    assert.match(error.message, /it is forbidden/);
    return true;
  };

  await t.step("one before a stream refuses it, and no provider hears of it; or changes what is asked", async () => {
    await world.policy({ default: { before: "guard.before" } });
    assert.equal(await streamed("say:a b c"), "a b c");
    const count = fake.count;
    await assert.rejects(streamed("say:forbidden things"), isRefused);
    assert.equal(fake.count, count);
    await world.policy({ default: { before: "guard.mild" } });
    assert.equal(await streamed("say:wild"), "mild");
  });

  await t.step("one after a stream sees all that was said before its caller sees any of it", async () => {
    await world.policy({ default: { after: "guard.after" } });
    asked.length = 0;
    assert.equal(await streamed("say:good day to you"), "good day to you");
    assert.equal(asked.at(-1)?.answer?.choices[0]?.message.content, "good day to you");
    await assert.rejects(streamed("say:quite forbidden words"), isRefused);
    await assert.rejects(client.chat.completions.create(ask("say:quite forbidden words")), isRefused);
  });

  await t.step("a response's stream is looked at too", async () => {
    await world.policy({ default: { after: "core.fail" } });
    await assert.rejects(
      client.responses.create({ model: "fast", input: "say:x", stream: true }),
      (error) => error instanceof OpenAI.APIError && error.code === "guard_failed",
    );
  });

  await t.step("what was refused after it was made is paid for", async () => {
    await world.policy({ default: { after: "guard.after" } });
    await hub.api("PUT", "/api/budgets/session/g", { body: { tokens: 100_000 } });
    const paying = world.clientOf(hub.key, { "x-hub-session": "g" });
    await assert.rejects(paying.chat.completions.create({ ...ask("say:forbidden"), stream: true }), isRefused);
    await until("it is settled", async () => {
      const { body } = await hub.api<{ spent: { tokens: number }; reserved: { tokens: number } }>(
        "GET",
        "/api/budgets/session/g",
      );
      return body.reserved.tokens === 0 && body.spent.tokens > 0 && body.spent.tokens < 1_000;
    });
  });

  await t.step("a stream that is held back and cut is asked for elsewhere: nobody has seen any of it", async () => {
    await world.addProvider(other, { name: "other", models: [{ id: "two", alias: "fast" }] });
    await world.policy({ default: { route: "cost", after: "guard.after" } });
    fake.fail({ kind: "cut", after: 3 });
    assert.equal(await streamed("say:one two three four"), "one two three four");
  });
  await spoke.close();
});

Deno.test("a policy decides what the run keeps of the texts, and nothing else keeps any", async (t) => {
  await using world = await proxyWorld([{}], { env: { HUB_LOG: "debug" } });
  const { client, hub, providers: [fake] } = world;
  assert.ok(fake);
  await world.addProvider(fake, { name: "fake", keys: ["sk-very-secret"], models: [{ id: "one", alias: "fast" }] });
  const made = async (store: string, stream: boolean) => {
    await world.policy({ default: { store } });
    const { data, response } = await client.chat.completions.create({ ...ask(`say:${SECRET}`), stream }).withResponse();
    if (data instanceof Object && Symbol.asyncIterator in data) {
      for await (const _ of data);
    }
    const id = response.headers.get("x-hub-run-id") ?? "";
    const run = await endedRun(hub, id);
    const events = await hub.api("GET", `/api/runs/${id}/events?limit=1000`);
    const graph = await hub.api("GET", `/api/runs/${id}/graph`);
    const whole = JSON.stringify([run, events.body, graph.body]);
    assert.ok(!whole.includes("sk-very-secret"));
    return { output: run["output"] as Record<string, unknown>, whole };
  };

  for (const stream of [false, true]) {
    const what = stream ? "a stream" : "an answer";
    await t.step(`none: of ${what} the run has what was used, and no word`, async () => {
      const { output, whole } = await made("none", stream);
      assert.equal(whole.includes("sparrow"), false);
      assert.equal("request" in output, false);
      assert.equal("answer" in output, false);
      assert.notEqual(output["usage"], undefined);
    });

    await t.step(`redacted: of ${what} the run has the shape, with lengths in place of texts`, async () => {
      const { output, whole } = await made("redacted", stream);
      assert.equal(whole.includes("sparrow"), false);
      const { messages, model } = output["request"] as { messages: unknown; model: string };
      assert.deepEqual(messages, [{ role: "user", content: `<${`say:${SECRET}`.length}>` }]);
      assert.equal(model, "fast");
      assert.equal(output["answer"], null);
    });

    await t.step(`full: of ${what} the run has request and answer`, async () => {
      const { output } = await made("full", stream);
      assert.equal((output["request"] as { messages: { content: string }[] }).messages[0]?.content, `say:${SECRET}`);
      assert.match(String(output["answer"]), new RegExp(SECRET));
    });
  }

  await t.step("failures keep no more", async () => {
    await world.policy({ default: { store: "redacted", retries: 0 } });
    fake.fail({ kind: "status", status: 500, message: "oops" });
    await assert.rejects(client.chat.completions.create(ask(`say:${SECRET}`)), OpenAI.InternalServerError);
    const id = await until("its run has failed", async () => {
      const { body } = await hub.api<{ items: { id: string }[] }>("GET", "/api/runs?workflow=proxy_call&status=failed");
      return body.items[0]?.id;
    });
    const { body } = await hub.api("GET", `/api/runs/${id}/events?limit=1000`);
    assert.equal(JSON.stringify(body).includes("sparrow"), false);
  });

  await t.step("the hub's log has neither texts nor keys, at any level", () => {
    const log = hub.stderr();
    assert.notEqual(log, "");
    for (const secret of ["sparrow", "sk-very-secret", hub.key]) assert.equal(log.includes(secret), false, secret);
  });
});
