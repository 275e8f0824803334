import assert from "node:assert/strict";
import { VirtualClock } from "../../../engine/memory/mod.ts";
import { LiveFeed } from "../live_feed.ts";
import { MemorySessionStore } from "../memory_session_store.ts";
import type { Message, Part, Session, SessionTurn, ToolPart } from "../session.ts";
import { SessionChat } from "./session_chat.ts";
import type { UiChunk } from "./ui_chunk.ts";

const KEY = { orgId: "o", sessionId: "s1" };
const CALLER = { identity: { id: "ann", scopes: [] }, orgId: "o" };
const NO_USAGE = { inputTokens: 0, outputTokens: 0, costMicros: 0, malformedCalls: 0 };

const SESSION = {
  id: "s1",
  orgId: "o",
  slug: "s1",
  title: "t",
  createdBy: "ann",
  owner: { keyId: null, identity: { id: "ann", scopes: [] } },
  role: null,
  agent: { systemPrompt: "", temperature: null, tools: null },
  model: "m",
  kind: "direct",
  parentId: null,
  spawnedBy: null,
  forkOf: null,
  workspace: null,
  limits: { maxSteps: null, maxTokens: null, maxCostMicros: null, maxTurnMs: null },
  budget: { steps: null, tokens: null, costMicros: null, timeMs: null },
  labels: {},
  createdAt: 0,
} as const;

/** A session whose turns a test drives by hand, and the chat before it. */
async function world() {
  const clock = new VirtualClock();
  const store = new MemorySessionStore();
  const feed = new LiveFeed();
  await store.create({ session: SESSION, idempotencyKey: null });
  const answers: unknown[] = [];
  const retracted: number[] = [];
  const get = async (): Promise<Session> => (await store.get(KEY))!;
  const chat = new SessionChat({
    store,
    feed,
    clock,
    sessions: {
      get,
      async prompt({ parts, idempotencyKey }) {
        const id = crypto.randomUUID();
        const message = { id, role: "user" as const, parts, createdAt: clock.now() };
        const turn = { id: `turn-${id}`, parent: null };
        const prompted = (await store.prompt({ ...KEY, message, idempotencyKey, turn }))!;
        if (!prompted.duplicate) feed.publish(KEY, { type: "message", message: prompted.message });
        return prompted;
      },
      async retract({ fromSeq, requestId }) {
        retracted.push(fromSeq);
        const parts: readonly Part[] = [{ type: "retraction", fromSeq }];
        await store.add({ ...KEY, message: { id: requestId, role: "system", parts, createdAt: 0 }, requestId });
      },
      answer: ({ part: { toolCallId }, approved, reason }) => {
        answers.push({ toolCallId, approved, reason });
        return Promise.resolve();
      },
    },
  });
  let steps = 0;
  return {
    chat,
    clock,
    store,
    feed,
    answers,
    retracted,
    async turn(): Promise<SessionTurn> {
      return (await store.turn({ orgId: "o", turnId: (await get()).turnId! }))!;
    },
    async step(turnId: string, parts: readonly Part[], live: readonly string[] = []): Promise<Message> {
      const id = `step-${++steps}`;
      const { steps: done } = (await store.turn({ orgId: "o", turnId }))!;
      feed.publish(KEY, { type: "step-start", turnId, messageId: id, step: done + 1, requestId: id });
      for (const text of live) feed.publish(KEY, { type: "text-delta", turnId, messageId: id, text });
      const message = { id, role: "assistant" as const, parts, createdAt: 0 };
      const recorded = (await store.step({ turnId, requestId: id, message, usage: NO_USAGE, status: "busy" }))!;
      feed.publish(KEY, { type: "step-end", turnId, message: recorded.message });
      return recorded.message;
    },
    async tool(turnId: string, messageId: string, toolCallId: string, change: Pick<ToolPart, "state" | "output">) {
      const part = (await store.tool({ turnId, messageId, toolCallId, change, at: 0 }))!;
      feed.publish(KEY, { type: "tool", turnId, messageId, part });
    },
    async end(turnId: string, status: "done" | "stopped" | "failed" = "done") {
      const error = status === "failed" ? { code: "X", message: "went wrong" } : null;
      const turn = (await store.end({ turnId, status, error, at: 0, unfinished: "" }))!;
      feed.publish(KEY, { type: "turn-end", turn });
    },
  };
}

const said = (text: string, id = "u1") => ({ id, role: "user", parts: [{ type: "text", text }] });
const submit = (...messages: ReturnType<typeof said>[]) => ({ messages, trigger: "submit-message" as const });

async function rest(chunks: AsyncIterable<readonly UiChunk[]>): Promise<readonly UiChunk[]> {
  const all: UiChunk[] = [];
  for await (const some of chunks) all.push(...some);
  return all;
}

/** Kinds of chunks, with what was said. */
function outline(chunks: readonly UiChunk[]): readonly string[] {
  return chunks.map((chunk) => "delta" in chunk ? chunk.delta : chunk.type);
}

Deno.test("SessionChat.send() says something and tells of the turn to its end; sent again, of the same turn", async () => {
  const it = await world();
  const { chunks } = await it.chat.send({ caller: CALLER, sessionId: "s1", request: submit(said("hi")), stays: false });
  const { id } = await it.turn();
  const reading = rest(chunks);
  await it.step(id, [{ type: "step-start" }, { type: "text", text: "one two" }], ["one", " two"]);
  await it.end(id);
  const told = outline(await reading);
  assert.deepEqual([told.at(0), told.at(-1)], ["start", "finish"]);
  assert.equal(told.filter((one) => one.includes("one") || one.includes("two")).join(""), "one two");
  const again = await it.chat.send({ caller: CALLER, sessionId: "s1", request: submit(said("hi")), stays: false });
  const replay = await rest(again.chunks);
  assert.deepEqual(replay[0], {
    type: "start",
    messageId: id,
    messageMetadata: (replay[0] as never)["messageMetadata"],
  });
  assert.ok(outline(replay).includes("one two"));
  assert.equal((await it.store.messages({ ...KEY, limit: 9 })).length, 2);
});

Deno.test("SessionChat.resume() tells a turn that is under way from its beginning, in the middle of a step too", async () => {
  const it = await world();
  assert.equal(await it.chat.resume({ caller: CALLER, sessionId: "s1", stays: false }), null);
  const sent = await it.chat.send({ caller: CALLER, sessionId: "s1", request: submit(said("hi")), stays: false });
  sent.stop();
  const { id } = await it.turn();
  await it.step(id, [{ type: "step-start" }, { type: "text", text: "first" }]);
  it.feed.publish(KEY, { type: "step-start", turnId: id, messageId: "open", step: 2, requestId: "open" });
  it.feed.publish(KEY, { type: "text-delta", turnId: id, messageId: "open", text: "half of it" });
  const resumed = await it.chat.resume({ caller: CALLER, sessionId: "s1", stays: false });
  assert.ok(resumed);
  const told: UiChunk[] = [];
  for await (const some of resumed.chunks) {
    told.push(...some);
    if (outline(told).includes("half of it")) break;
  }
  assert.deepEqual(outline(told).filter((one) => one === "start-step" || one.includes(" ") || one === "first"), [
    "start-step",
    "first",
    "start-step",
    "half of it",
  ]);
});

Deno.test("SessionChat ends a stream where a person is asked, and goes on behind it when they have answered", async () => {
  const it = await world();
  const sent = await it.chat.send({ caller: CALLER, sessionId: "s1", request: submit(said("hi")), stays: false });
  const { id } = await it.turn();
  const call = { type: "tool", toolName: "rm", toolCallId: "c1", operationId: "fs.rm", input: {} } as const;
  const asking = await it.step(id, [{ ...call, state: "approval-requested", approvalKey: "approval[0]" }]);
  const first = await rest(sent.chunks);
  const request = first.find((chunk) => chunk.type === "tool-approval-request");
  assert.ok(request?.type === "tool-approval-request");
  assert.deepEqual(first.at(-1)?.type, "finish");
  const answer = (approved: boolean) => ({
    trigger: "submit-message" as const,
    messages: [{
      id,
      role: "assistant",
      parts: [
        { type: "step-start" },
        {
          type: "dynamic-tool",
          toolCallId: "c1",
          state: "approval-responded",
          approval: { id: request.approvalId, approved },
        },
      ],
    }],
  });
  const next = await it.chat.send({ caller: CALLER, sessionId: "s1", request: answer(true), stays: false });
  assert.deepEqual(it.answers, [{ toolCallId: "c1", approved: true, reason: null }]);
  const reading = rest(next.chunks);
  await it.tool(id, asking.id, "c1", { state: "input-available" });
  await it.tool(id, asking.id, "c1", { state: "output-available", output: 1 });
  await it.step(id, [{ type: "text", text: "gone" }]);
  await it.end(id);
  assert.deepEqual(outline(await reading).filter((one) => one !== "message-metadata"), [
    "start",
    "tool-output-available",
    "finish-step",
    "start-step",
    "text-start",
    "gone",
    "text-end",
    "finish-step",
    "finish",
  ]);
  // An answer that comes late changes nothing.
  await rest((await it.chat.send({ caller: CALLER, sessionId: "s1", request: answer(false), stays: false })).chunks);
  assert.equal(it.answers.length, 1);
});

Deno.test("SessionChat takes back what is said again or differently, and lists what is left", async () => {
  const it = await world();
  const talk = async (request: Parameters<SessionChat["send"]>[0]["request"], answer: string) => {
    const sent = await it.chat.send({ caller: CALLER, sessionId: "s1", request, stays: false });
    const { id } = await it.turn();
    await it.step(id, [{ type: "text", text: answer }]);
    await it.end(id);
    await rest(sent.chunks);
  };
  const texts = async () =>
    (await it.chat.history({ caller: CALLER, sessionId: "s1" })).map(({ parts }) =>
      parts.flatMap((part) => part.type === "text" ? [part.text] : []).join("")
    );
  await talk(submit(said("a", "u1")), "A");
  await talk(submit(said("a", "u1"), said("b", "u2")), "B");
  await talk({ messages: [said("a", "u1"), said("b", "u2")], trigger: "regenerate-message" }, "B again");
  assert.deepEqual(await texts(), ["a", "A", "b", "B again"]);
  await talk({ ...submit(said("other", "u1")), messageId: "u1" }, "O");
  assert.deepEqual(await texts(), ["other", "O"]);
  assert.deepEqual(it.retracted, [3, 1]);
});

Deno.test("SessionChat tells of an error, and of a turn that was stopped, as AI SDK has it", async () => {
  const it = await world();
  for (const status of ["failed", "stopped"] as const) {
    const request = submit(said("hi", status));
    const sent = await it.chat.send({ caller: CALLER, sessionId: "s1", request, stays: false });
    const { id } = await it.turn();
    it.feed.publish(KEY, { type: "step-start", turnId: id, messageId: `m-${status}`, step: 1, requestId: "r" });
    it.feed.publish(KEY, { type: "text-delta", turnId: id, messageId: `m-${status}`, text: "half" });
    await it.end(id, status);
    const told = await rest(sent.chunks);
    if (status === "failed") assert.deepEqual(told.at(-1), { type: "error", errorText: "went wrong" });
    else assert.deepEqual(told.slice(-2).map(({ type }) => type), ["abort", "finish"]);
  }
});

Deno.test("SessionChat makes good what a page that does not read has missed, and what the feed has lost", async () => {
  const it = await world();
  const sent = await it.chat.send({ caller: CALLER, sessionId: "s1", request: submit(said("hi")), stays: false });
  const { id } = await it.turn();
  await sent.chunks.next(); // the start; then nothing is read for a while
  const word = "x".repeat(1_000);
  const text = word.repeat(1_000);
  await it.step(id, [{ type: "text", text }], Array.from({ length: 1_000 }, () => word));
  // The feed says nothing of this one.
  await it.store.end({ turnId: id, status: "done", error: null, at: 0, unfinished: "" });
  const told = await rest(sent.chunks);
  assert.equal(told.map((chunk) => "delta" in chunk ? chunk.delta : "").join("").length, text.length);
  assert.equal(told.at(-1)?.type, "finish");
});

Deno.test("SessionChat refuses what a page cannot mean", async () => {
  const it = await world();
  const bad = [
    { messages: [{ id: "a", role: "assistant", parts: [] }], trigger: "submit-message" as const },
    { messages: [{ id: "a", role: "user", parts: [] }], trigger: "submit-message" as const },
    submit({ id: "a", role: "user", parts: [{ type: "data-x", text: "" }] }),
    submit({ id: "a", role: "user", parts: [{ type: "file", text: "", url: "file:///etc/passwd" } as never] }),
    { messages: [said("never said")], trigger: "regenerate-message" as const },
  ];
  for (const request of bad) {
    await assert.rejects(it.chat.send({ caller: CALLER, sessionId: "s1", request, stays: false }), {
      code: "VALIDATION_ERROR",
    });
  }
  assert.equal((await it.store.messages({ ...KEY, limit: 9 })).length, 0);
});
