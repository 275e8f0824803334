import { AnthropicStream } from "./anthropic_stream.ts";
import { anthropicError, type AnthropicMessage, anthropicUsage, chatCompletionOf } from "./anthropic_answer.ts";
import { anthropicBody } from "./anthropic_request.ts";
import { wantsUsage } from "./openai_wire.ts";
import type { Wire } from "./wire.ts";

const VERSION = "2023-06-01";

/** Chat completions at a provider that speaks Anthropic's wire: translated both ways. */
export const anthropicWire: Wire = {
  request: ({ model }, key, asked) => ({
    path: "/v1/messages",
    headers: { "x-api-key": key, "anthropic-version": VERSION },
    body: anthropicBody(asked, model.id),
  }),
  whole(text, { body }) {
    const message: AnthropicMessage = JSON.parse(text);
    if (message.type !== "message" || !Array.isArray(message.content)) throw new Error("The answer is no message");
    return {
      text: JSON.stringify(chatCompletionOf(message, String(body["model"]))),
      usage: anthropicUsage(message.usage),
      said: () => message.content.map((block) => block.text ?? JSON.stringify(block.input ?? "")).join(" "),
    };
  },
  stream: ({ body }) => new AnthropicStream({ model: String(body["model"]), keepsUsage: wantsUsage(body) }),
  error: anthropicError,
};
