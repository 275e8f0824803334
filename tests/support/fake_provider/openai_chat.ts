import { limited, pieces, type Said, sampleOf, textOf, type Turn, usageOf } from "./turn.ts";
import type { Chunk } from "./stream.ts";

/** The part of a chat completion's request that decides the answer. */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content?: unknown; readonly tool_call_id?: string }[];
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly n?: number;
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
  readonly logprobs?: boolean;
  readonly response_format?: { readonly type: string; readonly json_schema?: { readonly schema?: unknown } };
}

/** What is the same in all parts of one answer. */
export interface AnswerHead {
  readonly id: string;
  readonly created: number;
  /** Null: nothing is said of it. */
  readonly usage: { readonly input: number; readonly output: number } | null;
}

export function saidInChat({ messages }: ChatRequest): readonly Said[] {
  return messages.map(({ role, content }) => ({
    role: role === "developer" ? "system" : role === "function" ? "tool" : role as Said["role"],
    text: textOf(content),
  }));
}

/** The model's turn as the request wants it: cut to its limit, or structured. */
export function shapedForChat(request: ChatRequest, turn: Turn): Turn {
  const schema = request.response_format?.type === "json_schema"
    ? request.response_format.json_schema?.schema
    : undefined;
  const structured = schema === undefined || turn.toolCalls.length > 0
    ? turn
    : { ...turn, text: JSON.stringify(sampleOf(schema)) };
  return limited(structured, request.max_completion_tokens ?? request.max_tokens);
}

export function chatUsage(request: ChatRequest, turn: Turn): { readonly input: number; readonly output: number } {
  const { input, output } = usageOf(saidInChat(request), turn);
  return { input, output: output * (request.n ?? 1) };
}

export function chatCompletion(request: ChatRequest, turn: Turn, { id, created, usage }: AnswerHead): object {
  const choice = (index: number) => ({
    index,
    message: {
      role: "assistant",
      content: turn.toolCalls.length > 0 && turn.text === "" ? null : turn.text,
      refusal: null,
      ...(turn.toolCalls.length > 0 && { tool_calls: turn.toolCalls.map((call, at) => toolCall(id, call, at)) }),
    },
    logprobs: request.logprobs ? { content: pieces(turn.text).map(logprob), refusal: null } : null,
    finish_reason: finishOf(turn),
  });
  return {
    id,
    object: "chat.completion",
    created,
    model: request.model,
    choices: Array.from({ length: request.n ?? 1 }, (_, index) => choice(index)),
    ...(usage !== null && { usage: usageInChat(usage) }),
    system_fingerprint: "fp_fake",
  };
}

export function chatChunks(request: ChatRequest, turn: Turn, { id, created, usage }: AnswerHead): readonly Chunk[] {
  const wantsUsage = request.stream_options?.include_usage === true;
  const frame = (choices: readonly object[], extra: object = wantsUsage ? { usage: null } : {}): Chunk => ({
    data: {
      id,
      object: "chat.completion.chunk",
      created,
      model: request.model,
      system_fingerprint: "fp_fake",
      choices,
      ...extra,
    },
  });
  const part = (index: number, delta: object, finish: string | null = null, logprobs: object | null = null) =>
    frame([{ index, delta, logprobs, finish_reason: finish }]);
  const chunks: Chunk[] = [];
  for (let index = 0; index < (request.n ?? 1); index++) {
    chunks.push(part(index, { role: "assistant", content: "", refusal: null }));
    for (const piece of pieces(turn.text)) {
      chunks.push(part(index, { content: piece }, null, request.logprobs ? { content: [logprob(piece)] } : null));
    }
    turn.toolCalls.forEach((call, at) => {
      const { id: callId, type, function: { name } } = toolCall(id, call, at);
      chunks.push(part(index, { tool_calls: [{ index: at, id: callId, type, function: { name, arguments: "" } }] }));
      for (let from = 0; from < call.arguments.length; from += 8) {
        const args = call.arguments.slice(from, from + 8);
        chunks.push(part(index, { tool_calls: [{ index: at, function: { arguments: args } }] }));
      }
    });
    chunks.push(part(index, {}, finishOf(turn)));
  }
  if (wantsUsage && usage !== null) chunks.push(frame([], { usage: usageInChat(usage) }));
  return [...chunks, { data: "[DONE]" }];
}

function finishOf(turn: Turn): string {
  return turn.finish ?? (turn.toolCalls.length > 0 ? "tool_calls" : "stop");
}

function toolCall(id: string, { name, arguments: args }: Turn["toolCalls"][number], at: number) {
  return { id: `call_${id.slice(-8)}_${at}`, type: "function" as const, function: { name, arguments: args } };
}

function logprob(token: string) {
  return { token, logprob: -0.1, bytes: [...new TextEncoder().encode(token)], top_logprobs: [] };
}

function usageInChat({ input, output }: { readonly input: number; readonly output: number }): object {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
  };
}
