/** The stream of a session's turn, read by AI SDK's own transport and reader, against a real hub and a fake provider. */
import assert from "node:assert/strict";
import { connectSpoke } from "@alkdev/spoke";
import { DefaultChatTransport, isToolUIPart, readUIMessageStream, type UIMessage, type UIMessageChunk } from "ai";
import { type HubProcess, until } from "./_hub_process.ts";
import { PRICES, type ProxyWorld, proxyWorld } from "./_proxy_world.ts";

async function chatWorld(): Promise<ProxyWorld> {
  const world = await proxyWorld();
  const [fake] = world.providers;
  assert.ok(fake);
  await world.addProvider(fake, { name: "fake", models: [{ id: "fake-large", alias: "fast", prices: PRICES }] });
  return world;
}

async function makeSession(hub: HubProcess, body: Record<string, unknown> = {}): Promise<string> {
  const made = await hub.api<{ id: string }>("POST", "/api/sessions", { body: { model: "fast", ...body } });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body.id;
}

function transportOf({ url, key }: Pick<HubProcess, "url" | "key">, session: string): DefaultChatTransport<UIMessage> {
  const api = `${url}/api/sessions/${session}/stream`;
  const headers = { authorization: `Bearer ${key}` };
  return new DefaultChatTransport({ api, headers, prepareReconnectToStreamRequest: () => ({ api, headers }) });
}

const user = (text: string, id: string = crypto.randomUUID()): UIMessage => ({
  id,
  role: "user",
  parts: [{ type: "text", text }],
});

interface Sending {
  readonly trigger?: "submit-message" | "regenerate-message";
  readonly messageId?: string;
  readonly signal?: AbortSignal;
}

async function send(
  transport: DefaultChatTransport<UIMessage>,
  messages: UIMessage[],
  { trigger = "submit-message", messageId, signal }: Sending = {},
): Promise<ReadableStream<UIMessageChunk>> {
  return await transport.sendMessages({ chatId: "c", messages, trigger, messageId, abortSignal: signal });
}

/** The last state of the message that a stream makes, or goes on with. */
async function read(stream: ReadableStream<UIMessageChunk>, message?: UIMessage): Promise<UIMessage> {
  let last: UIMessage | undefined;
  for await (
    const one of readUIMessageStream<UIMessage>({
      stream,
      terminateOnError: true,
      ...(message !== undefined && { message }),
    })
  ) last = one;
  assert.ok(last);
  return last;
}

function textOf({ parts }: UIMessage): string {
  return parts.flatMap((part) => part.type === "text" ? [part.text] : []).join("|");
}

async function history(hub: HubProcess, session: string): Promise<readonly UIMessage[]> {
  const { status, body } = await hub.api<{ items: UIMessage[] }>("GET", `/api/sessions/${session}/ui-messages`);
  assert.equal(status, 200);
  return body.items;
}

Deno.test("DefaultChatTransport talks with a session of a real hub", async (t) => {
  await using world = await chatWorld();
  const { hub, providers: [fake] } = world;
  assert.ok(fake);
  const spoke = connectSpoke({
    url: hub.url,
    key: hub.key,
    name: "tools",
    operations: [
      { namespace: "demo", name: "add", handler: (input) => addUp(input) },
      { namespace: "demo", name: "wipe", handler: () => "wiped" },
    ],
  });
  await spoke.ready;
  await using _ = { [Symbol.asyncDispose]: () => spoke.close() };

  await t.step("text comes piece by piece, with the header of the protocol, and is what the list has", async () => {
    const session = await makeSession(hub);
    const response = await fetch(`${hub.url}/api/sessions/${session}/stream`, {
      method: "POST",
      headers: { authorization: `Bearer ${hub.key}`, "content-type": "application/json" },
      body: JSON.stringify({ id: "c", messages: [user("say:raw")], trigger: "submit-message" }),
    });
    assert.equal(response.headers.get("x-vercel-ai-ui-message-stream"), "v1");
    assert.match(await response.text(), /data: \[DONE\]\n\n$/);

    const transport = transportOf(hub, session);
    const deltas: string[] = [];
    const [watched, kept] = (await send(transport, [user("say:one two three")])).tee();
    const reading = read(kept);
    for await (const chunk of watched) if (chunk.type === "text-delta") deltas.push(chunk.delta);
    const message = await reading;
    assert.equal(textOf(message), "one two three");
    assert.ok(deltas.length >= 3, JSON.stringify(deltas));
    const { metadata } = message as UIMessage<{ status: string; usage: { outputTokens: number; costMicros: number } }>;
    assert.equal(metadata?.status, "done");
    assert.ok(metadata.usage.outputTokens > 0 && metadata.usage.costMicros > 0);
    const listed = await history(hub, session);
    assert.deepEqual(listed.map(({ role }) => role), ["user", "assistant", "user", "assistant"]);
    assert.deepEqual(listed.at(-1), JSON.parse(JSON.stringify(message)));
    assert.equal(await transport.reconnectToStream({ chatId: "c" }), null, "nothing is under way: 204");
  });

  await t.step("calls of tools, in parallel, and their failures", async () => {
    const session = await makeSession(hub);
    const call = (id: string, input: unknown) => ({
      name: "hub_call",
      arguments: JSON.stringify({ operationId: id, input }),
    });
    fake.script({
      text: "",
      toolCalls: [call("demo.add", { a: 1, b: 2 }), call("core.fail", { code: "NO", message: "no" })],
    });
    const message = await read(await send(transportOf(hub, session), [user("count")]));
    const tools = message.parts.filter(isToolUIPart);
    assert.deepEqual(tools.map(({ state }) => state), ["output-available", "output-error"], JSON.stringify(tools));
    assert.deepEqual((await history(hub, session)).at(-1), JSON.parse(JSON.stringify(message)));
  });

  await t.step("a person is asked, says yes, and says no", async () => {
    const role = await hub.api("PUT", "/api/roles/careful", {
      body: {
        title: "Careful",
        systemPrompt: "",
        tools: { operations: ["demo.*"], workflows: [], approve: ["demo.wipe"] },
        scopes: ["operation:*"],
      },
    });
    assert.ok(role.status < 300, JSON.stringify(role.body));
    for (const approved of [true, false]) {
      const session = await makeSession(hub, { role: "careful" });
      const transport = transportOf(hub, session);
      fake.script({ text: "May I?", toolCalls: [{ name: "demo_wipe", arguments: "{}" }] });
      const question = user("clean up");
      const asked = await read(await send(transport, [question]));
      const [tool] = asked.parts.filter(isToolUIPart);
      assert.equal(tool?.state, "approval-requested", JSON.stringify(asked));
      const answered = structuredClone(asked);
      const part = answered.parts.find(isToolUIPart);
      assert.ok(part?.state === "approval-requested");
      Object.assign(part, { state: "approval-responded", approval: { id: part.approval.id, approved } });
      const stream = await send(transport, [question, answered], { messageId: answered.id });
      const message = await read(stream, answered);
      const [ended] = message.parts.filter(isToolUIPart);
      assert.equal(ended?.state, approved ? "output-available" : "output-denied", JSON.stringify(message));
      assert.equal(message.parts.filter(({ type }) => type === "step-start").length, 2);
      assert.match(textOf(message), approved ? /May I\?\|.*wiped/ : /May I\?\|.*person has said no/);
    }
  });

  await t.step("an error of the provider ends the stream with an error", async () => {
    const session = await makeSession(hub);
    fake.fail({ kind: "status", status: 400, message: "No such thing" });
    await assert.rejects(
      send(transportOf(hub, session), [user("x")]).then((stream) => read(stream)),
      /No such thing/,
    );
  });

  await t.step("a page that comes in the middle reads all of the turn, and one that leaves stops nothing", async () => {
    const session = await makeSession(hub);
    const transport = transportOf(hub, session);
    const words = Array.from({ length: 40 }, (_, at) => `w${at}`).join(" ");
    fake.fail({ kind: "slow-chunks", ms: 50 });
    const leaving = new AbortController();
    const stream = await send(transport, [user(`say:${words}`)], { signal: leaving.signal });
    for await (const chunk of stream) if (chunk.type === "text-delta") break;
    leaving.abort();
    const resumed = await transport.reconnectToStream({ chatId: "c" });
    assert.ok(resumed);
    assert.equal(textOf(await read(resumed)), words);
  });

  await t.step("stop ends the turn; what was said by then stays", async () => {
    const session = await makeSession(hub);
    fake.fail({ kind: "slow-chunks", ms: 50 });
    const stream = await send(transportOf(hub, session), [user(`say:${"w ".repeat(500)}`)]);
    const types: string[] = [];
    for await (const chunk of stream) {
      types.push(chunk.type);
      if (chunk.type === "text-delta" && types.filter((type) => type === "text-delta").length === 3) {
        await hub.api("POST", `/api/sessions/${session}/stop`, { body: {} });
      }
    }
    assert.deepEqual(types.slice(-2), ["abort", "finish"]);
    await until("what was said is in the session", async () => (await history(hub, session)).length === 2);
  });

  await t.step("said again, and said differently", async () => {
    const session = await makeSession(hub);
    const transport = transportOf(hub, session);
    const question = user("say:first");
    await read(await send(transport, [question]));
    const [, shown] = await history(hub, session);
    fake.script({ text: "second", toolCalls: [] });
    const again = await read(
      await send(transport, [question], { trigger: "regenerate-message", messageId: shown!.id }),
    );
    assert.equal(textOf(again), "second");
    const edited = user("say:third", question.id);
    await read(await send(transport, [edited], { messageId: question.id }));
    assert.deepEqual((await history(hub, session)).map(textOf), ["say:third", "third"]);
    const asked = fake.requests.at(-1)?.body as { messages: { role: string }[] };
    assert.equal(
      asked.messages.filter(({ role }) => role === "user").length,
      1,
      "the model does not see what was taken back",
    );
  });

  await t.step("what is said while a turn is under way steers it", async () => {
    const session = await makeSession(hub);
    const transport = transportOf(hub, session);
    fake.fail({ kind: "slow-chunks", ms: 30 });
    const first = await send(transport, [user(`say:${"w ".repeat(20)}`)]);
    const steered: unknown[] = [];
    const reading = (async () => {
      for await (const chunk of first) if (chunk.type === "data-steered") steered.push(chunk.data);
    })();
    await until(
      "the turn is under way",
      async () => (await hub.api("GET", `/api/sessions/${session}`)).body["status"] === "busy",
    );
    const second = await read(await send(transport, [user("say:steered")]));
    await reading;
    assert.equal(steered.length, 1);
    assert.match(textOf(second), /steered$/);
  });

  await t.step("another organization's page, a key without the scope and nonsense are refused", async () => {
    const session = await makeSession(hub);
    const key = await hub.api<{ key: string }>("POST", "/api/keys", {
      body: { name: "reader", scopes: ["session:read"] },
    });
    const reader = transportOf({ url: hub.url, key: key.body.key }, session);
    await assert.rejects(send(reader, [user("x")]), /403|scope/);
    assert.equal(await reader.reconnectToStream({ chatId: "c" }), null);
    await assert.rejects(send(transportOf(hub, "none"), [user("x")]), /404|no session/i);
    const bad = await hub.api("POST", `/api/sessions/${session}/stream`, {
      body: { messages: [user("x")], trigger: "submit-message", model: "other" },
    });
    assert.equal(bad.status, 400);
  });

  await t.step("a key that is revoked loses its stream", async () => {
    const session = await makeSession(hub);
    const made = await hub.api<{ key: string; record: { id: string } }>("POST", "/api/keys", {
      body: { name: "passing", scopes: ["session:read"] },
    });
    fake.fail({ kind: "slow-chunks", ms: 100 });
    const sent = await send(transportOf(hub, session), [user(`say:${"w ".repeat(100)}`)]);
    const reader = transportOf({ url: hub.url, key: made.body.key }, session);
    const watched = await reader.reconnectToStream({ chatId: "c" });
    assert.ok(watched);
    const seen: string[] = [];
    for await (const chunk of watched) {
      if (seen.push(chunk.type) === 3) await hub.api("POST", `/api/keys/${made.body.record.id}/revoke`, { body: {} });
    }
    assert.ok(!seen.includes("finish"), "the turn goes on, and is not told to it");
    await sent.cancel();
    await hub.api("POST", `/api/sessions/${session}/stop`, { body: {} });
  });
});

function addUp(input: unknown): number {
  const { a, b } = input as { a: number; b: number };
  return a + b;
}
