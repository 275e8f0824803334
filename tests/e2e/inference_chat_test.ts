/** `inference.chat`: calls of models from templates, spokes, MCP clients and over HTTP, with nothing that goes round the limits. */
import assert from "node:assert/strict";
import { connectSpoke } from "@alkdev/spoke";
import { type HubProcess, operation, readSse, until } from "./_hub_process.ts";
import { PRICES, proxyWorld } from "./_proxy_world.ts";

interface Completion {
  readonly choices: readonly { readonly message: { readonly content: string } }[];
}

interface Failure {
  readonly code: string;
  readonly detail: string;
}

const ask = (content: string, more: Record<string, unknown> = {}) => ({
  model: "fast",
  messages: [{ role: "user", content }],
  ...more,
});

async function makeKey(
  hub: HubProcess,
  scopes: readonly string[],
): Promise<{ readonly id: string; readonly key: string }> {
  const { status, body } = await hub.api<{ key: string; record: { id: string } }>("POST", "/api/keys", {
    body: { name: `k-${crypto.randomUUID()}`, scopes },
  });
  assert.equal(status, 201, JSON.stringify(body));
  return { id: body.record.id, key: body.key };
}

Deno.test("inference.chat has a chat completed for whoever calls operations, within the caller's limits", async (t) => {
  await using world = await proxyWorld();
  const { hub, providers: [fake] } = world;
  assert.ok(fake);
  await world.addProvider(fake, { name: "fake", models: [{ id: "fake-large", alias: "fast", prices: PRICES }] });
  const call = (input: unknown, key: string = hub.key) =>
    hub.api<{ data: Completion }>("POST", "/api/operations/inference.chat", { body: { input }, key });
  const text = ({ choices }: Completion) => choices[0]?.message.content;

  await t.step(
    "over HTTP, with what the hub does not know passed through and what is the hub's kept here",
    async () => {
      const { status, body } = await call(ask("say:Good day", { seed: 7, hub: { session: "s-1" } }));
      assert.equal(status, 200, JSON.stringify(body));
      assert.equal(text(body.data), "Good day");
      assert.deepEqual(fake.requests.at(-1)?.body, { ...ask("say:Good day"), model: "fake-large", seed: 7 });
      const { body: { items } } = await hub.api<{ items: { labels: Record<string, string> }[] }>(
        "GET",
        "/api/runs?workflow=proxy_call&limit=1",
      );
      assert.equal(items[0]?.labels["session"], "s-1");
    },
  );

  await t.step("refusals are those of the proxy", async () => {
    assert.equal((await call({ model: "none", messages: [{ role: "user", content: "x" }] })).status, 404);
    assert.equal((await call(ask("x", { stream: true }))).status, 400);
    assert.equal((await call({ model: "fast", messages: [] })).status, 400);
    fake.fail({ kind: "status", status: 400, message: "No such thing" });
    const { body } = await call(ask("x")) as unknown as { body: Failure };
    assert.equal(body.code, "PROVIDER_REJECTED");
    assert.match(body.detail, /No such thing/);
  });

  await t.step("a key that may call operations but no models is refused", async () => {
    const { key } = await makeKey(hub, ["operation:*"]);
    const count = fake.count;
    assert.notEqual((await call(ask("x"), key)).status, 200);
    assert.equal(fake.count, count);
  });

  await t.step("a key for other models is refused this one", async () => {
    const { key } = await makeKey(hub, ["operation:*", "inference:call", "model:slow"]);
    const count = fake.count;
    assert.equal((await call(ask("x"), key)).status, 403);
    assert.equal(fake.count, count);
  });

  await t.step("as a subscription, chunk by chunk, over HTTP and a socket", async () => {
    const input = encodeURIComponent(JSON.stringify(ask("say:one two three")));
    const events = await readSse(`${hub.url}/api/operations/inference.chatStream/stream?input=${input}`, hub.key);
    const pieces = events.filter(({ event }) => event === "data").map(({ data }) => deltaOf(data["data"]));
    assert.equal(pieces.join(""), "one two three");
    assert.ok(pieces.length >= 3);
    const spoke = connectSpoke({ url: hub.url, key: hub.key, name: "caller", operations: [] });
    await spoke.ready;
    let said = "";
    for await (const { data } of spoke.subscribe("inference.chatStream", ask("say:four five"))) said += deltaOf(data);
    assert.equal(said, "four five");
    const whole = await spoke.call("inference.chat", ask("say:six"));
    assert.equal(text(whole.data as Completion), "six");
    fake.fail({ kind: "cut", after: 2 });
    await assert.rejects(async () => {
      for await (const _ of spoke.subscribe("inference.chatStream", ask("say:one two three four")));
    }, { code: "PROVIDER_BROKE_OFF" });
    await spoke.close();
  });

  await t.step("who leaves a subscription ends the provider's stream", async () => {
    fake.fail({ kind: "slow-chunks", ms: 500 });
    const spoke = connectSpoke({ url: hub.url, key: hub.key, name: "caller", operations: [] });
    await spoke.ready;
    for await (const _ of spoke.subscribe("inference.chatStream", ask(`say:${"w ".repeat(1_000)}`))) break;
    await until("the run ends", async () => {
      const { body } = await hub.api<{ items: { status: string }[] }>("GET", "/api/runs?workflow=proxy_call&limit=1");
      return body.items[0]?.status === "completed" || body.items[0]?.status === "failed";
    });
    await spoke.close();
  });

  const template = operation("inference.chat", "ask", {
    model: "fast",
    messages: [{ role: "user", content: { $ref: "input.say" } }],
    max_tokens: 10,
  });
  await hub.api("PUT", "/api/workflows/asking", { body: { template } });
  const run = async (body: Record<string, unknown>, key: string = hub.key) => {
    const answer = await hub.api<Record<string, unknown>>("POST", "/api/workflows/asking/runs", {
      body: { input: { say: "say:from a template" }, ...body },
      headers: { prefer: "wait=10" },
      key,
    });
    return answer.body;
  };

  await t.step("in a template: the budget of the run is charged, and holds", async () => {
    const ended = await run({ budget: { costMicros: 1_000_000 } });
    assert.equal(ended["status"], "completed", JSON.stringify(ended));
    assert.equal(text(ended["output"] as Completion), "from a template");
    const { costMicros } = ended["budget"] as { costMicros: { spent: number } };
    assert.ok(costMicros.spent > 0, JSON.stringify(ended["budget"]));
    const count = fake.count;
    const refused = await run({ budget: { costMicros: 10 } });
    assert.equal((refused["error"] as { code: string }).code, "BUDGET_EXCEEDED");
    assert.equal(fake.count, count);
  });

  await t.step("the key's budget holds for it, by whatever way it asks", async () => {
    const { id, key } = await makeKey(hub, ["operation:*", "workflow:*", "run:*", "inference:*", "model:*"]);
    await hub.api("PUT", `/api/budgets/key/${id}`, { body: { tokens: 1 } });
    await until("the budget is seen", async () => (await call(ask("x"), key)).status === 402);
    const count = fake.count;
    assert.equal((await call(ask("x"), key)).status, 402);
    assert.equal(((await run({}, key))["error"] as { code: string }).code, "BUDGET_EXCEEDED");
    const viaHubCall = await hub.api<Failure>("POST", "/api/operations/hub.call", {
      body: { input: { operationId: "inference.chat", input: ask("x") } },
      key,
    });
    assert.equal(viaHubCall.body.code, "BUDGET_EXCEEDED");
    await hub.api("PUT", "/api/workflows/outer", {
      body: { template: { type: "workflow", props: { name: "asking", key: "in", input: { say: "x" } }, children: [] } },
    });
    const outer = await hub.api<Record<string, unknown>>("POST", "/api/workflows/outer/runs", {
      headers: { prefer: "wait=10" },
      body: {},
      key,
    });
    assert.equal((outer.body["error"] as { code: string }).code, "BUDGET_EXCEEDED");
    assert.equal(fake.count, count);
  });
});

function deltaOf(chunk: unknown): string {
  const { choices } = chunk as { choices: readonly { delta: { content?: string } }[] };
  return choices[0]?.delta.content ?? "";
}
