import assert from "node:assert/strict";
import { readUIMessageStream, type UIMessage, type UIMessageChunk } from "ai";
import fc from "fast-check";
import type { SessionEvent } from "../ports.ts";
import type { Message, Part, SessionTurn, ToolPart, ToolState } from "../session.ts";
import { TurnChunks } from "./turn_chunks.ts";
import type { UiChunk, UiMessage } from "./ui_chunk.ts";
import { uiMessages } from "./ui_messages.ts";

// The compiler holds both against the SDK's types.
const asChunks = (chunks: readonly UiChunk[]): readonly UIMessageChunk[] => chunks;
const asMessage = (message: UiMessage): Pick<UIMessage, "id" | "role"> => message;

const TURN: SessionTurn = {
  id: "t1",
  orgId: "o",
  sessionId: "s",
  n: 1,
  status: "open",
  runId: "r",
  parent: null,
  steps: 0,
  inputTokens: 0,
  outputTokens: 0,
  costMicros: 0,
  error: null,
  startedAt: 0,
  endedAt: null,
};

function message(seq: number, role: Message["role"], step: number | null, parts: readonly Part[]): Message {
  return { id: `m${seq}`, sessionId: "s", seq, role, parts, turnId: "t1", runId: "r", step, createdAt: seq };
}

function call(id: string, state: ToolState, more: Partial<ToolPart> = {}): ToolPart {
  return { type: "tool", toolName: "look", toolCallId: id, operationId: "a.look", state, input: { id }, ...more };
}

const finish = (finishReason: string): Part => ({
  type: "step-finish",
  finishReason,
  inputTokens: 3,
  outputTokens: 2,
  costMicros: 1,
  model: "m",
  seenSeq: 1,
  callRunId: null,
});

/** What AI SDK makes of chunks. */
async function read(chunks: readonly UiChunk[]): Promise<UIMessage> {
  const stream = new ReadableStream<UIMessageChunk>({
    start(controller) {
      for (const chunk of asChunks(chunks)) controller.enqueue(chunk);
      controller.close();
    },
  });
  let last: UIMessage | null = null;
  for await (const one of readUIMessageStream({ stream, terminateOnError: true })) last = one;
  assert.ok(last);
  return last;
}

/** Without what only a stream has: fields that are undefined, and answers to questions that the list does not keep. */
function plain(message: UIMessage | UiMessage): unknown {
  return JSON.parse(JSON.stringify(message, (key, value) => {
    if (key === "approval") return undefined;
    return value?.type === "reasoning" ? { ...value, id: undefined } : value;
  }));
}

const PROMPT = message(1, "user", null, [{ type: "text", text: "hi" }]);

function wholeTurn(): readonly Message[] {
  return [
    PROMPT,
    message(2, "assistant", 1, [
      { type: "step-start" },
      { type: "reasoning", text: "so" },
      { type: "text", text: "Let me look" },
      call("c1", "output-available", { output: { n: 1 } }),
      call("c2", "output-error", { errorText: "no" }),
      call("c3", "output-denied", { approvalKey: "ask[2]" }),
      finish("tool_calls"),
    ]),
    message(3, "user", null, [{ type: "text", text: "be short" }]),
    message(4, "assistant", 2, [{ type: "step-start" }, { type: "text", text: "Done." }, finish("stop")]),
  ];
}

Deno.test("TurnChunks tells committed messages such that AI SDK reads what uiMessages() gives", async () => {
  const messages = wholeTurn();
  const chunks = new TurnChunks(TURN);
  const told = [chunks.start(), ...messages.flatMap((one) => chunks.message(one))];
  const ended = { ...TURN, status: "done" as const, steps: 2, inputTokens: 6, outputTokens: 4, costMicros: 2 };
  told.push(...chunks.end(ended));
  const listed = uiMessages(messages, [ended]);
  assert.deepEqual(listed.map(({ id, role }) => [id, role]), [["m1", "user"], ["t1", "assistant"], ["m3", "user"]]);
  assert.deepEqual(listed.map((one) => asMessage(one).id), ["m1", "t1", "m3"]);
  const [, expected] = listed;
  assert.ok(expected);
  const seen = await read(told);
  const parts = plain(seen) as { parts: { state?: string }[] };
  assert.deepEqual(parts, plain(expected));
  assert.deepEqual(told.filter(({ type }) => type === "data-steered"), [
    { type: "data-steered", id: "m3", transient: true, data: { messageId: "m3", text: "be short" } },
  ]);
  // Nothing is told twice.
  assert.deepEqual(messages.flatMap((one) => chunks.message(one)), []);
});

Deno.test("TurnChunks comes to the same message, whatever live events come, come twice, or get lost", async () => {
  const messages = wholeTurn();
  const ended = { ...TURN, status: "done" as const, steps: 2, inputTokens: 6, outputTokens: 4, costMicros: 2 };
  const [, expected] = uiMessages(messages, [ended]);
  assert.ok(expected);
  const live = liveEvents(messages);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ drop: fc.double({ min: 0, max: 1 }), look: fc.boolean(), twice: fc.boolean() }), {
        minLength: live.length,
        maxLength: live.length,
      }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (fates, lossy) => {
        const chunks = new TurnChunks(TURN);
        const told: UiChunk[] = [chunks.start()];
        // What is in the store by then: a message once its step-end, or it itself, has been told.
        let stored = 0;
        live.forEach((event, at) => {
          if (event.type === "step-end" || event.type === "message") stored = event.message.seq;
          const { drop, look, twice } = fates[at]!;
          if (drop < lossy) {
            if ("text" in event && look) chunks.missed();
          } else {
            told.push(...chunks.event(event));
            // Deltas come once; all other things may be told again.
            if (twice && !("text" in event)) told.push(...chunks.event(event));
          }
          if (look || chunks.takeWantsRead()) {
            for (const one of messages) if (one.seq <= stored) told.push(...chunks.message(one));
          }
        });
        for (const one of messages) told.push(...chunks.message(one));
        told.push(...chunks.end(ended));
        assert.deepEqual(plain(await read(told)), plain(expected));
      },
    ),
    { numRuns: 150 },
  );
});

/** What the feed says while the turn goes on. */
function liveEvents(messages: readonly Message[]): readonly SessionEvent[] {
  return messages.flatMap((one): readonly SessionEvent[] => {
    if (one.role === "user") return [{ type: "message", message: one }];
    const head = { turnId: "t1", messageId: one.id } as const;
    const events: SessionEvent[] = [
      { type: "step-start", ...head, step: one.step ?? 0, requestId: "first" },
      { type: "text-delta", ...head, text: "what a lost attempt said" },
      { type: "step-start", ...head, step: one.step ?? 0, requestId: "second" },
    ];
    const begun = one.parts.map((part): Part =>
      part.type === "tool" ? call(part.toolCallId, part.approvalKey ? "approval-requested" : "input-available") : part
    );
    for (const part of one.parts) {
      if (part.type === "text" || part.type === "reasoning") {
        const type = part.type === "text" ? "text-delta" as const : "reasoning-delta" as const;
        for (const text of part.text.split(/(?= )/)) events.push({ type, ...head, text });
      }
      if (part.type === "tool") {
        const { toolCallId, toolName } = part;
        events.push({ type: "tool-input-delta", ...head, toolCallId, toolName, text: JSON.stringify(part.input) });
      }
    }
    events.push({ type: "step-end", turnId: "t1", message: { ...one, parts: begun } });
    for (const part of one.parts) if (part.type === "tool") events.push({ type: "tool", ...head, part });
    return events;
  });
}

Deno.test("TurnChunks goes on from what a page knows, once a person has answered", async () => {
  const asking = message(2, "assistant", 1, [
    { type: "step-start" },
    { type: "text", text: "May I?" },
    call("c1", "approval-requested", { approvalKey: "ask[0]" }),
    call("c2", "output-available", { output: 1 }),
    finish("tool_calls"),
  ]);
  const first = new TurnChunks(TURN);
  const told = [first.start(), ...first.message(PROMPT), ...first.message(asking)];
  assert.ok(first.isWaiting);
  told.push(...first.pause());
  assert.deepEqual(told.at(-1)?.type, "finish");
  const paused = await read(told);
  assert.equal(paused.parts.filter((part) => part.type === "dynamic-tool")[0]?.state, "approval-requested");

  const next = new TurnChunks(TURN, [new Map([["c1", "answered"], ["c2", "ended"]])]);
  const more = [next.start(), ...next.message(PROMPT), ...next.message(asking)];
  assert.deepEqual(more.map(({ type }) => type), ["start"], "the store does not say yet that it was answered");
  assert.ok(!next.isWaiting);
  more.push(...next.tool("m2", call("c1", "output-available", { output: 2, approvalKey: "ask[0]" })));
  assert.deepEqual(more.map(({ type }) => type), ["start", "tool-output-available", "finish-step"]);
  more.push(...next.message(message(3, "assistant", 2, [{ type: "step-start" }, { type: "text", text: "Ok" }])));
  assert.deepEqual(more.slice(3).map(({ type }) => type), [
    "start-step",
    "text-start",
    "text-delta",
    "text-end",
    "finish-step",
    "message-metadata",
  ]);
});
