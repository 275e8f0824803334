import { countTokens } from "./turn.ts";

/** The part of an embedding's request that decides the answer. */
export interface EmbeddingsRequest {
  readonly model: string;
  readonly input: string | readonly (string | number | readonly number[])[];
  readonly encoding_format?: "float" | "base64";
  readonly dimensions?: number;
}

/** Vectors that depend on the text and nothing else. */
export function embeddings(request: EmbeddingsRequest): object {
  const { input } = request;
  const texts = typeof input === "string"
    ? [input]
    : typeof input[0] === "number"
    ? [JSON.stringify(input)]
    : input.map((one) => typeof one === "string" ? one : JSON.stringify(one));
  const tokens = texts.reduce((sum, text) => sum + countTokens(text), 0);
  return {
    object: "list",
    data: texts.map((text, index) => ({
      object: "embedding",
      index,
      embedding: encoded(vectorOf(text, request), request),
    })),
    model: request.model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

function vectorOf(text: string, { dimensions = 8 }: EmbeddingsRequest): Float32Array<ArrayBuffer> {
  let seed = 2166136261;
  for (let at = 0; at < text.length; at++) seed = Math.imul(seed ^ text.charCodeAt(at), 16777619) >>> 0;
  return Float32Array.from({ length: dimensions }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 31 - 1;
  });
}

function encoded(
  vector: Float32Array<ArrayBuffer>,
  { encoding_format }: EmbeddingsRequest,
): string | readonly number[] {
  if (encoding_format !== "base64") return [...vector];
  return btoa(String.fromCharCode(...new Uint8Array(vector.buffer)));
}
