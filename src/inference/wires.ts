import { anthropicWire } from "./anthropic_wire.ts";
import { openAiWire } from "./openai_wire.ts";
import type { ProviderKind } from "./ports.ts";
import type { Endpoint, Wire } from "./wire.ts";

const OPENAI: Readonly<Record<Endpoint, Wire>> = {
  chat: openAiWire("chat"),
  responses: openAiWire("responses"),
  embeddings: openAiWire("embeddings"),
};

/** How a kind of provider is spoken to; null: it has no such endpoint. */
export function wireOf(kind: ProviderKind, endpoint: Endpoint): Wire | null {
  if (kind !== "anthropic") return OPENAI[endpoint];
  return endpoint === "chat" ? anthropicWire : null;
}
