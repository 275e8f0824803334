import { encode } from "./tokens.ts";
import type { Prices } from "./ports.ts";

/** What one or several answers used. */
export interface TokenUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Part of the input that the provider had in its cache. */
  readonly cachedInputTokens: number;
}

export const NO_USAGE: TokenUsage = { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0 };

/** Whole micros, rounded up: money is never lost in the fractions. */
export function costOf(usage: TokenUsage, prices: Prices | undefined): number {
  if (prices === undefined) return 0;
  const { inputMicrosPerMTok, outputMicrosPerMTok, cachedInputMicrosPerMTok = inputMicrosPerMTok } = prices;
  const fresh = Math.max(0, usage.inputTokens - usage.cachedInputTokens);
  const micros = fresh * inputMicrosPerMTok + usage.cachedInputTokens * cachedInputMicrosPerMTok +
    usage.outputTokens * outputMicrosPerMTok;
  return Math.ceil(micros / 1_000_000);
}

/** The `usage` object of chat completions, embeddings and responses. Null: there is none that can be read. */
export function usageOfAnswer(usage: unknown): TokenUsage | null {
  if (typeof usage !== "object" || usage === null) return null;
  const fields: Readonly<Record<string, unknown>> = { ...usage };
  const inputTokens = fields["prompt_tokens"] ?? fields["input_tokens"];
  const outputTokens = fields["completion_tokens"] ?? fields["output_tokens"] ?? 0;
  if (!isCount(inputTokens) || !isCount(outputTokens)) return null;
  const details = fields["prompt_tokens_details"] ?? fields["input_tokens_details"];
  const cached: unknown = typeof details === "object" && details !== null && "cached_tokens" in details
    ? details.cached_tokens
    : 0;
  return { inputTokens, outputTokens, cachedInputTokens: isCount(cached) ? Math.min(cached, inputTokens) : 0 };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value < 1e12;
}

/** What a picture, a sound or a file counts at most where nobody has said it yet. */
const PART_TOKENS = 4_000;
const MESSAGE_TOKENS = 8;

/**
 * What a request's input uses at the most: no tokenizer makes more tokens of a text than half its bytes but on purpose. Data URLs
 * count as one part each.
 */
export function mostInputTokens(body: Readonly<Record<string, unknown>>): number {
  let bytes = 0;
  let parts = 0;
  const visit = (value: unknown): void => {
    if (typeof value === "string") {
      if (value.startsWith("data:") || value.length > 200_000 && !value.includes(" ")) parts++;
      else bytes += byteLength(value);
    } else if (typeof value === "number") bytes += 4;
    else if (Array.isArray(value)) value.forEach(visit);
    else if (typeof value === "object" && value !== null) {
      bytes += 4;
      for (const [key, inner] of Object.entries(value)) {
        bytes += key.length;
        if (key === "image_url" || key === "input_audio" || key === "file" || key === "file_id") parts++;
        visit(inner);
      }
    }
  };
  for (const field of ["messages", "input", "instructions", "tools", "response_format", "text"]) visit(body[field]);
  const { messages } = body;
  const count = Array.isArray(messages) ? messages.length : 1;
  return Math.ceil(bytes / 2) + parts * PART_TOKENS + (count + 1) * MESSAGE_TOKENS;
}

function byteLength(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7ff) bytes += 2;
    else if (code > 0x7f) bytes++;
  }
  return bytes;
}

const MAX_COUNTED = 400_000;

/** Counts a request's input with a tokenizer, for providers that do not say what they used. */
export async function countInput(body: Readonly<Record<string, unknown>>): Promise<number> {
  const texts: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value === "string") texts.push(value.startsWith("data:") ? "" : value);
    else if (Array.isArray(value)) value.forEach(visit);
    else if (typeof value === "object" && value !== null) Object.values(value).forEach(visit);
  };
  for (const field of ["messages", "input", "instructions", "tools"]) visit(body[field]);
  const { messages } = body;
  return await countText(texts.join("\n")) + 3 * (Array.isArray(messages) ? messages.length + 1 : 0);
}

/** Counts a text with a tokenizer; what is very long is measured by its beginning. */
export async function countText(text: string): Promise<number> {
  if (text === "") return 0;
  if (text.length <= MAX_COUNTED) return await encode(text);
  return Math.ceil(await encode(text.slice(0, MAX_COUNTED)) * text.length / MAX_COUNTED);
}
