import type { AnswerHead } from "./openai_chat.ts";
import type { Chunk } from "./stream.ts";
import { limited, pieces, type Said, textOf, type Turn } from "./turn.ts";

/** The part of a message's request that decides the answer. */
export interface MessagesRequest {
  readonly model: string;
  readonly max_tokens: number;
  readonly system?: unknown;
  readonly messages: readonly { readonly role: "user" | "assistant"; readonly content: unknown }[];
  readonly stream?: boolean;
}

export function saidInMessages({ system, messages }: MessagesRequest): readonly Said[] {
  const first: readonly Said[] = system === undefined ? [] : [{ role: "system", text: textOf(system) }];
  return [
    ...first,
    ...messages.map(({ role, content }): Said => ({
      role: isToolResult(content) ? "tool" : role,
      text: textOf(content),
    })),
  ];
}

function isToolResult(content: unknown): boolean {
  return Array.isArray(content) && content.some((part: { type?: string }) => part.type === "tool_result");
}

export function shapedForMessages(request: MessagesRequest, turn: Turn): Turn {
  return limited(turn, request.max_tokens);
}

export function message(request: MessagesRequest, turn: Turn, { id, usage }: AnswerHead): object {
  return {
    id,
    type: "message",
    role: "assistant",
    model: request.model,
    content: blocks(turn, id),
    stop_reason: stopOf(turn),
    stop_sequence: null,
    ...(usage !== null && { usage: { input_tokens: usage.input, output_tokens: usage.output } }),
  };
}

export function messageChunks(request: MessagesRequest, turn: Turn, head: AnswerHead): readonly Chunk[] {
  const { usage } = head;
  const events: { readonly type: string; readonly [key: string]: unknown }[] = [];
  const start = { ...message(request, { text: "", toolCalls: [] }, head), content: [], stop_reason: null };
  events.push({
    type: "message_start",
    message: usage === null ? start : { ...start, usage: { input_tokens: usage.input, output_tokens: 1 } },
  });
  events.push({ type: "ping" });
  blocks(turn, head.id).forEach((block, index) => {
    const isText = block.type === "text";
    events.push({
      type: "content_block_start",
      index,
      content_block: isText ? { type: "text", text: "" } : { ...block, input: {} },
    });
    const parts = isText ? pieces(turn.text) : [JSON.stringify(block.input)];
    for (const part of parts) {
      const delta = isText ? { type: "text_delta", text: part } : { type: "input_json_delta", partial_json: part };
      events.push({ type: "content_block_delta", index, delta });
    }
    events.push({ type: "content_block_stop", index });
  });
  events.push({
    type: "message_delta",
    delta: { stop_reason: stopOf(turn), stop_sequence: null },
    ...(usage !== null && { usage: { output_tokens: usage.output } }),
  });
  events.push({ type: "message_stop" });
  return events.map((data) => ({ event: data.type, data }));
}

type Block =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "tool_use"; readonly id: string; readonly name: string; readonly input: unknown };

function blocks(turn: Turn, id: string): readonly Block[] {
  const text: readonly Block[] = turn.text === "" && turn.toolCalls.length > 0
    ? []
    : [{ type: "text", text: turn.text }];
  return [
    ...text,
    ...turn.toolCalls.map((call, at): Block => ({
      type: "tool_use",
      id: `toolu_${id.slice(-8)}_${at}`,
      name: call.name,
      input: parsed(call.arguments),
    })),
  ];
}

/** This wire has no way to say malformed arguments: they are given as a string. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function stopOf(turn: Turn): string {
  if (turn.finish === "length") return "max_tokens";
  return turn.toolCalls.length > 0 ? "tool_use" : "end_turn";
}
