/** A turn that one hub drives, read at another: two hubs in processes of their own on one PostgreSQL and one Redis. */
import assert from "node:assert/strict";
import { DefaultChatTransport, readUIMessageStream, type UIMessage, type UIMessageChunk } from "ai";
import { type HubProcess, startHubProcess } from "../e2e/_hub_process.ts";
import { FakeProvider } from "../support/fake_provider/fake_provider.ts";
import { startRedis } from "../support/redis_server.ts";
import { postgresAvailable, testDatabase } from "../support/test_database.ts";

/** What hubs of one database share: the key that opens their configuration, and the ring that opens stored secrets. */
const SHARED = ["admin.key", "master.key", "keyring.json", "config.jsonc"];

function transportOf({ url, key }: HubProcess, session: string): DefaultChatTransport<UIMessage> {
  const api = `${url}/api/sessions/${session}/stream`;
  const headers = { authorization: `Bearer ${key}` };
  return new DefaultChatTransport({ api, headers, prepareReconnectToStreamRequest: () => ({ api, headers }) });
}

async function say(hub: HubProcess, session: string, text: string): Promise<ReadableStream<UIMessageChunk>> {
  return await transportOf(hub, session).sendMessages({
    chatId: "c",
    messages: [{ id: crypto.randomUUID(), role: "user", parts: [{ type: "text", text }] }],
    trigger: "submit-message",
    messageId: undefined,
    abortSignal: undefined,
  });
}

/** The message that a stream comes to, and how many states of it there were. */
async function read(
  stream: ReadableStream<UIMessageChunk>,
): Promise<{ readonly text: string; readonly states: number }> {
  let text = "";
  let states = 0;
  for await (const { parts } of readUIMessageStream<UIMessage>({ stream, terminateOnError: true })) {
    states++;
    text = parts.flatMap((part) => part.type === "text" ? [part.text] : []).join("|");
  }
  return { text, states };
}

Deno.test("a page at another hub reads a turn as it is said, and to its end when the hub that drove it is killed", async (t) => {
  const redis = await postgresAvailable() ? await startRedis() : null;
  if (redis === null) return console.log("PostgreSQL or redis-server is not there: not run");
  await using _redis = redis;
  const database = await testDatabase("postgres");
  const fake = new FakeProvider();
  const hubs: HubProcess[] = [];
  const start = async (): Promise<HubProcess> => {
    const dataDir = await Deno.makeTempDir({ prefix: "hub-sessions-" });
    const config = { egress: { allowPrivate: [new URL(fake.url).host] } };
    await Deno.writeTextFile(`${dataDir}/config.jsonc`, JSON.stringify(config));
    const [first] = hubs;
    if (first !== undefined) {
      for (const file of SHARED) await Deno.copyFile(`${first.dataDir}/${file}`, `${dataDir}/${file}`).catch(() => {});
    }
    const hub = await startHubProcess({ env: { HUB_DATABASE_URL: database.url!, HUB_REDIS_URL: redis.url }, dataDir });
    hubs.push(hub);
    return hub;
  };
  try {
    const a = await start();
    const b = await start();
    const added = await a.api("PUT", "/api/clients/fake", {
      body: {
        type: "llm-provider",
        kind: "openai",
        baseUrl: `${fake.url}/v1`,
        keys: ["sk-1"],
        models: [{ id: "fake-large", alias: "fast" }],
      },
    });
    assert.ok(added.status < 300, JSON.stringify(added.body));
    const made = await a.api<{ id: string }>("POST", "/api/sessions", { body: { model: "fast" } });
    const session = made.body.id;
    const words = Array.from({ length: 60 }, (_, at) => `w${at}`).join(" ");

    await t.step("live, from the middle of a step on", async () => {
      fake.fail({ kind: "slow-chunks", ms: 50 });
      const here = read(await say(a, session, `say:${words}`));
      const resumed = await transportOf(b, session).reconnectToStream({ chatId: "c" });
      assert.ok(resumed);
      const there = await read(resumed);
      assert.equal(there.text, words);
      assert.ok(there.states > 20, `it came in ${there.states} pieces`);
      assert.equal((await here).text, words);
    });

    await t.step("to the end, when the hub that drives the turn is killed in the middle", async () => {
      fake.fail({ kind: "slow-chunks", ms: 100 });
      const here = await say(a, session, `say:again ${words}`);
      const resumed = await transportOf(b, session).reconnectToStream({ chatId: "c" });
      assert.ok(resumed);
      const [first, whole] = resumed.tee();
      const reading = read(whole);
      for await (const chunk of first) if (chunk.type === "text-delta") break;
      await a.kill("SIGKILL");
      await here.cancel().catch(() => {});
      assert.equal((await reading).text, `again ${words}`);
      const { body } = await b.api<{ items: { role: string }[] }>("GET", `/api/sessions/${session}/ui-messages`);
      assert.deepEqual(body.items.map(({ role }) => role), ["user", "assistant", "user", "assistant"]);
    });
  } finally {
    for (const hub of hubs) await hub[Symbol.asyncDispose]();
    await fake.stop();
    await database.drop();
  }
});
