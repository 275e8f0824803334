import type { OpenAiError } from "./inference_error.ts";
import type { Candidate } from "./provider_health.ts";
import type { TokenUsage } from "./usage.ts";

export type Body = Readonly<Record<string, unknown>>;

/** What callers ask for: the paths of OpenAI's API that use a model. */
export type Endpoint = "chat" | "responses" | "embeddings";

/** A request as a provider takes it. */
export interface WireRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body;
}

/** What is asked of a provider. */
export interface Asked {
  readonly body: Body;
  readonly isStream: boolean;
  /** Limit of the output that the hub sets; null: none. */
  readonly cap: number | null;
}

/** An answer in one piece, as the caller gets it. */
export interface WholeAnswer {
  readonly text: string;
  /** Null: it does not say. */
  readonly usage: TokenUsage | null;
  /** What was said, for counting. */
  readonly said: () => string;
}

/** Reads a provider's stream and gives what the caller gets of it. */
export interface StreamReader {
  /** @throws {Error} when it is no stream of this wire */
  read(text: string): string;
  /** Whether anything has come that could not be taken back. */
  readonly hasBegun: boolean;
  /** Whether it has come to its end in order. */
  readonly isComplete: boolean;
  /** What the provider says has gone wrong. */
  readonly error: OpenAiError | null;
  /** Null: it has not said. */
  readonly usage: TokenUsage | null;
  /** What was said, for counting. */
  said(): string;
  /** Id of a stored response; null: none. */
  readonly responseId: string | null;
  /** The event that tells the caller that no more comes, because of `error`. */
  failure(error: OpenAiError): string;
}

/** How a kind of provider is spoken to at one endpoint. */
export interface Wire {
  request(candidate: Candidate, key: string, asked: Asked): WireRequest;
  /** @throws {Error} when it is no answer of this wire */
  whole(text: string, asked: Asked): WholeAnswer;
  stream(asked: Asked): StreamReader;
  /** The error in an answer that is none; null: it has none that can be read. */
  error(text: string): OpenAiError | null;
}

/** OpenAI's form of an error, wherever in a value it stands. */
export function openAiErrorOf(value: unknown): OpenAiError | null {
  if (typeof value !== "object" || value === null || !("error" in value)) return null;
  const { error } = value;
  if (typeof error === "string") return { message: error, type: "api_error", param: null, code: null };
  if (typeof error !== "object" || error === null) return null;
  const { message, type, param, code }: { readonly [Name in keyof OpenAiError]?: unknown } = error;
  return {
    message: typeof message === "string" ? message : "The provider does not say what is wrong",
    type: typeof type === "string" ? type : "api_error",
    param: typeof param === "string" ? param : null,
    code: typeof code === "string" ? code : typeof code === "number" ? String(code) : null,
  };
}

export function parsedError(text: string): OpenAiError | null {
  try {
    return openAiErrorOf(JSON.parse(text));
  } catch {
    return null;
  }
}
