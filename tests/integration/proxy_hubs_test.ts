/** Calls of models through two hubs on one PostgreSQL, one of which is killed. */
import assert from "node:assert/strict";
import OpenAI from "openai";
import { type HubProcess, startHubProcess, until } from "../e2e/_hub_process.ts";
import { FakeProvider } from "../support/fake_provider/fake_provider.ts";
import { postgresAvailable, testDatabase } from "../support/test_database.ts";

interface World extends AsyncDisposable {
  readonly hubs: readonly [HubProcess, HubProcess];
  readonly fake: FakeProvider;
  client(hub: HubProcess, session?: string): OpenAI;
}

async function world(): Promise<World | null> {
  if (!await postgresAvailable()) {
    console.log("PostgreSQL is not there: not run");
    return null;
  }
  const database = await testDatabase("postgres");
  const fake = new FakeProvider();
  const config = JSON.stringify({ egress: { allowPrivate: [new URL(fake.url).host] } });
  const dirs = [await Deno.makeTempDir({ prefix: "hub-a-" }), await Deno.makeTempDir({ prefix: "hub-b-" })] as const;
  const start = async (dataDir: string): Promise<HubProcess> => {
    await Deno.writeTextFile(`${dataDir}/config.jsonc`, config);
    return await startHubProcess({ dataDir, env: { HUB_DATABASE_URL: database.url! } });
  };
  const a = await start(dirs[0]);
  // Hubs of one database have one key ring, and the test one key.
  for (const name of ["admin.key", "master.key", "keyring.json"]) {
    await Deno.copyFile(`${dirs[0]}/${name}`, `${dirs[1]}/${name}`);
  }
  const b = await start(dirs[1]);
  const prices = { inputMicrosPerMTok: 3_000_000, outputMicrosPerMTok: 15_000_000 };
  const body = {
    type: "llm-provider",
    kind: "openai",
    baseUrl: `${fake.url}/v1`,
    keys: ["sk-fake-1"],
    models: [{ id: "one", alias: "fast", prices }],
  };
  const added = await a.api("PUT", "/api/clients/fake", { body });
  assert.ok(added.status < 300, JSON.stringify(added.body));
  return {
    hubs: [a, b],
    fake,
    client: (hub, session) =>
      new OpenAI({
        baseURL: `${hub.url}/v1`,
        apiKey: a.key,
        maxRetries: 0,
        ...(session !== undefined && { defaultHeaders: { "x-hub-session": session } }),
      }),
    async [Symbol.asyncDispose]() {
      for (const hub of [a, b]) await hub[Symbol.asyncDispose]();
      await fake.stop();
      await database.drop();
    },
  };
}

const ask = (content: string) => ({
  model: "fast",
  max_tokens: 100,
  messages: [{ role: "user" as const, content }],
});

interface Budget {
  readonly spent: { readonly costMicros: number; readonly calls: number };
  readonly reserved: { readonly costMicros: number; readonly calls: number };
}

Deno.test("two hubs limit calls of models as one, and a budget outlasts the kill of one of them", async (t) => {
  await using all = await world();
  if (all === null) return;
  const { hubs, fake, client } = all;
  const [a, b] = hubs;
  const budget = async (hub: HubProcess, id: string) =>
    (await hub.api<Budget>("GET", `/api/budgets/session/${id}`, { key: a.key })).body;
  const atOnce = (count: number, content: string, session?: string) =>
    Promise.allSettled(
      Array.from({ length: count }, (_, i) => client(hubs[i % 2]!, session).chat.completions.create(ask(content))),
    );
  await until("the second hub knows the model", async () => (await client(b).models.list()).data.length === 1);

  await t.step("requests per minute are exact over both", async () => {
    await b.api("PUT", "/api/inference/policy", {
      key: a.key,
      body: { models: { fast: { limits: { requestsPerMinute: 10 } } }, default: { retries: 0 } },
    });
    await until("the policy holds on both", async () => {
      const revisions = await Promise.all(
        hubs.map((hub) => hub.api<{ revision: number }>("GET", "/api/inference/policy", { key: a.key })),
      );
      return revisions.every(({ body }) => body.revision === 1);
    });
    // A minute that turns in between would let twice as many through: the test begins with one that lasts.
    await until("the minute is young enough", () => Promise.resolve(Date.now() % 60_000 < 45_000), 20_000);
    const minute = Math.floor(Date.now() / 60_000);
    const count = fake.count;
    const done = await atOnce(40, "say:x");
    const through = done.filter(({ status }) => status === "fulfilled").length;
    if (Math.floor(Date.now() / 60_000) === minute) assert.equal(through, 10);
    else assert.ok(through <= 20, `${through} in two minutes`);
    assert.equal(fake.count - count, through, "no provider heard of the others");
    for (const one of done) {
      if (one.status === "rejected") assert.equal(one.reason.code, "rate_limit_exceeded", String(one.reason));
    }
    await a.api("PUT", "/api/inference/policy", { body: { default: { retries: 0 } } });
    await until("the policy is gone", async () => {
      const answers = await Promise.all(
        hubs.map((hub) => client(hub).chat.completions.create(ask("say:x")).then(() => true, () => false)),
      );
      return answers.every(Boolean);
    });
  });

  await t.step("a budget of money is never passed by calls of both at once", async () => {
    const limit = 20_000;
    await a.api("PUT", "/api/budgets/session/both", { body: { costMicros: limit } });
    const done = await atOnce(40, `say:${"word ".repeat(30)}`, "both");
    assert.ok(done.some(({ status }) => status === "fulfilled"));
    assert.ok(done.some(({ status }) => status === "rejected"));
    const { spent } = await until("all is settled", async () => {
      const now = await budget(b, "both");
      return now.reserved.calls === 0 && now;
    });
    assert.ok(spent.costMicros > 0 && spent.costMicros <= limit, `${spent.costMicros} of ${limit}`);
    assert.equal(spent.calls, done.filter(({ status }) => status === "fulfilled").length);
  });

  await t.step(
    "calls of a hub that is killed stay paid for, and the other goes on within the same budget",
    async () => {
      const limit = 40_000;
      await a.api("PUT", "/api/budgets/session/kill", { body: { costMicros: limit } });
      const count = fake.count;
      fake.fail({ kind: "hang", times: 6 });
      const lost = Promise.allSettled(
        Array.from({ length: 6 }, () => client(b, "kill").chat.completions.create(ask("say:lost"))),
      );
      await until("the provider is asked", () => Promise.resolve(fake.count - count === 6));
      const before = await budget(a, "kill");
      assert.equal(before.reserved.calls, 6);
      await b.kill("SIGKILL");
      assert.ok((await lost).every(({ status }) => status === "rejected"));
      fake.reset();
      // What is reserved counts at once: the other hub cannot spend it again.
      const done = await Promise.allSettled(
        Array.from({ length: 40 }, () => client(a, "kill").chat.completions.create(ask(`say:${"word ".repeat(30)}`))),
      );
      const through = done.filter(({ status }) => status === "fulfilled").length;
      assert.ok(through > 0 && through < 40, `${through} of 40 went through`);
      const after = await until("what was lost is settled", async () => {
        const now = await budget(a, "kill");
        return now.reserved.calls === 0 && now;
      }, 90_000);
      assert.equal(after.spent.calls, 6 + through);
      assert.ok(after.spent.costMicros >= before.reserved.costMicros);
      assert.ok(after.spent.costMicros <= limit, `${after.spent.costMicros} of ${limit}`);
    },
  );
});
