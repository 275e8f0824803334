import type { OpenAiError } from "./inference_error.ts";
import type { TokenUsage } from "./usage.ts";

export interface AnthropicMessage {
  readonly id: string;
  readonly type: string;
  readonly content: readonly AnthropicBlock[];
  readonly stop_reason: string | null;
  readonly usage?: unknown;
}

export interface AnthropicBlock {
  readonly type: string;
  readonly text?: string;
  readonly id?: string;
  readonly name?: string;
  readonly input?: unknown;
}

const FINISH: ReadonlyMap<string, string> = new Map([
  ["end_turn", "stop"],
  ["stop_sequence", "stop"],
  ["max_tokens", "length"],
  ["tool_use", "tool_calls"],
  ["refusal", "content_filter"],
]);

export function finishOf(reason: string | null | undefined): string {
  return FINISH.get(reason ?? "") ?? "stop";
}

/** Anthropic counts what it has in its cache apart; OpenAI counts it in. Null: it does not say. */
export function anthropicUsage(usage: unknown): TokenUsage | null {
  if (typeof usage !== "object" || usage === null) return null;
  const { input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens }: {
    readonly [Name in `${"input" | "output" | "cache_read_input" | "cache_creation_input"}_tokens`]?: unknown;
  } = usage;
  if (!isCount(input_tokens) && !isCount(output_tokens)) return null;
  const cached = isCount(cache_read_input_tokens) ? cache_read_input_tokens : 0;
  const written = isCount(cache_creation_input_tokens) ? cache_creation_input_tokens : 0;
  return {
    inputTokens: (isCount(input_tokens) ? input_tokens : 0) + cached + written,
    outputTokens: isCount(output_tokens) ? output_tokens : 0,
    cachedInputTokens: cached,
  };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value < 1e12;
}

export function openAiUsage({ inputTokens, outputTokens, cachedInputTokens }: TokenUsage): object {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: cachedInputTokens },
  };
}

/** A message as a chat completion. `model`: as the caller named it. */
export function chatCompletionOf({ id, content, stop_reason, usage }: AnthropicMessage, model: string): object {
  const text = content.filter(({ type }) => type === "text").map((block) => block.text ?? "").join("");
  const calls = content.filter(({ type }) => type === "tool_use").map((block) => ({
    id: block.id,
    type: "function",
    function: { name: block.name, arguments: JSON.stringify(block.input ?? {}) },
  }));
  const used = anthropicUsage(usage);
  return {
    id: `chatcmpl-${id}`,
    object: "chat.completion",
    created: Math.floor(Date.now() / 1000),
    model,
    choices: [{
      index: 0,
      message: {
        role: "assistant",
        content: text === "" && calls.length > 0 ? null : text,
        refusal: null,
        ...(calls.length > 0 && { tool_calls: calls }),
      },
      logprobs: null,
      finish_reason: finishOf(stop_reason),
    }],
    ...(used !== null && { usage: openAiUsage(used) }),
  };
}

/** Anthropic's form of an error in OpenAI's. Null: it is none. */
export function anthropicError(text: string): OpenAiError | null {
  try {
    const { error }: { readonly error?: { readonly type?: unknown; readonly message?: unknown } } = JSON.parse(text);
    return error === undefined ? null : errorOf(error);
  } catch {
    return null;
  }
}

export function errorOf({ type, message }: { readonly type?: unknown; readonly message?: unknown }): OpenAiError {
  const code = type === "rate_limit_error" ? "rate_limit_exceeded" : typeof type === "string" ? type : null;
  return {
    message: typeof message === "string" ? message : "The provider does not say what is wrong",
    type: typeof type === "string" ? type : "api_error",
    param: null,
    code,
  };
}
