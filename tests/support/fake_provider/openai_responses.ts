import type { Chunk } from "./stream.ts";
import { pieces, type Said, sampleOf, textOf, type Turn } from "./turn.ts";
import type { AnswerHead } from "./openai_chat.ts";

/** The part of a response's request that decides the answer. */
export interface ResponsesRequest {
  readonly model: string;
  readonly input: string | readonly ResponsesItem[];
  readonly instructions?: string | null;
  readonly previous_response_id?: string | null;
  readonly stream?: boolean;
  readonly store?: boolean;
  readonly background?: boolean;
  readonly max_output_tokens?: number | null;
  readonly metadata?: object | null;
  readonly text?: { readonly format?: { readonly type: string; readonly schema?: unknown } };
}

interface ResponsesItem {
  readonly type?: string;
  readonly role?: string;
  readonly content?: unknown;
  readonly output?: unknown;
}

export type ResponseStatus = "queued" | "in_progress" | "completed" | "incomplete" | "cancelled";

export function saidInResponses({ input, instructions }: ResponsesRequest): readonly Said[] {
  const system: readonly Said[] = instructions ? [{ role: "system", text: instructions }] : [];
  if (typeof input === "string") return [...system, { role: "user", text: input }];
  return [
    ...system,
    ...input.map((item): Said =>
      item.type === "function_call_output" ? { role: "tool", text: textOf(item.output) } : {
        role: item.role === "developer" ? "system" : (item.role ?? "assistant") as Said["role"],
        text: textOf(item.content),
      }
    ),
  ];
}

export function shapedForResponses(request: ResponsesRequest, turn: Turn): Turn {
  const { type, schema } = request.text?.format ?? { type: "text" };
  return type === "json_schema" && turn.toolCalls.length === 0
    ? { ...turn, text: JSON.stringify(sampleOf(schema)) }
    : turn;
}

/** The response object as it is at `status`. */
export function responseObject(
  request: ResponsesRequest,
  turn: Turn,
  { id, created, usage }: AnswerHead,
  status: ResponseStatus,
): object {
  const ended = status === "completed" || status === "incomplete";
  return {
    id,
    object: "response",
    created_at: created,
    status,
    background: request.background ?? false,
    error: null,
    incomplete_details: turn.finish === "length" && ended ? { reason: "max_output_tokens" } : null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    model: request.model,
    output: ended ? outputItems(turn, id) : [],
    parallel_tool_calls: true,
    previous_response_id: request.previous_response_id ?? null,
    reasoning: { effort: null, summary: null },
    store: request.store ?? true,
    temperature: 1,
    text: { format: request.text?.format ?? { type: "text" } },
    tool_choice: "auto",
    tools: [],
    top_p: 1,
    truncation: "disabled",
    usage: ended && usage !== null
      ? {
        input_tokens: usage.input,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: usage.output,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: usage.input + usage.output,
      }
      : null,
    user: null,
    metadata: request.metadata ?? {},
  };
}

/** The events of a streamed response, numbered. */
export function responseChunks(request: ResponsesRequest, turn: Turn, head: AnswerHead): readonly Chunk[] {
  const events: Record<string, unknown>[] = [];
  const object = (status: ResponseStatus) => responseObject(request, turn, head, status);
  events.push({ type: "response.created", response: object("in_progress") });
  events.push({ type: "response.in_progress", response: object("in_progress") });
  outputItems(turn, head.id).forEach((item, output_index) => {
    const item_id = item.id;
    if (item.type === "function_call") {
      events.push({
        type: "response.output_item.added",
        output_index,
        item: { ...item, status: "in_progress", arguments: "" },
      });
      for (let from = 0; from < item.arguments.length; from += 8) {
        const delta = item.arguments.slice(from, from + 8);
        events.push({ type: "response.function_call_arguments.delta", item_id, output_index, delta });
      }
      events.push({ type: "response.function_call_arguments.done", item_id, output_index, arguments: item.arguments });
    } else {
      const place = { item_id, output_index, content_index: 0 };
      const [part] = item.content;
      events.push({
        type: "response.output_item.added",
        output_index,
        item: { ...item, status: "in_progress", content: [] },
      });
      events.push({ type: "response.content_part.added", ...place, part: { ...part, text: "" } });
      for (const delta of pieces(turn.text)) {
        events.push({ type: "response.output_text.delta", ...place, delta, logprobs: [] });
      }
      events.push({ type: "response.output_text.done", ...place, text: turn.text, logprobs: [] });
      events.push({ type: "response.content_part.done", ...place, part });
    }
    events.push({ type: "response.output_item.done", output_index, item });
  });
  const status = turn.finish === "length" ? "incomplete" : "completed";
  events.push({ type: `response.${status}`, response: object(status) });
  return events.map((data, sequence_number) => ({ event: String(data["type"]), data: { ...data, sequence_number } }));
}

function outputItems(turn: Turn, id: string) {
  const message = {
    type: "message" as const,
    id: `msg_${id.slice(-8)}`,
    status: "completed",
    role: "assistant",
    content: [{ type: "output_text", text: turn.text, annotations: [], logprobs: [] }],
  };
  const calls = turn.toolCalls.map((call, at) => ({
    type: "function_call" as const,
    id: `fc_${id.slice(-8)}_${at}`,
    call_id: `call_${id.slice(-8)}_${at}`,
    status: "completed",
    name: call.name,
    arguments: call.arguments,
  }));
  return turn.text === "" && calls.length > 0 ? calls : [message, ...calls];
}
