import { OpenAiChatStream } from "./openai_chat_stream.ts";
import { OpenAiResponsesStream } from "./openai_responses_stream.ts";
import { usageOfAnswer } from "./usage.ts";
import { type Asked, type Body, type Endpoint, parsedError, type Wire } from "./wire.ts";

const PATHS: Readonly<Record<Endpoint, string>> = {
  chat: "/chat/completions",
  responses: "/responses",
  embeddings: "/embeddings",
};

/** OpenAI's own wire: everything passes as it is, but for the model's name, and what the hub asks for itself. */
export function openAiWire(endpoint: Endpoint): Wire {
  return {
    request: ({ provider, model }, key, asked) => ({
      path: PATHS[endpoint],
      headers: { authorization: `Bearer ${key}` },
      body: bodyFor(endpoint, { ...asked.body, model: model.id }, asked, provider.kind === "openai"),
    }),
    whole(text) {
      const answer: unknown = JSON.parse(text);
      if (typeof answer !== "object" || answer === null || Array.isArray(answer)) {
        throw new Error("The answer is no JSON object");
      }
      return {
        text,
        usage: usageOfAnswer("usage" in answer ? answer.usage : null),
        said: () => saidIn(endpoint, answer),
      };
    },
    stream: ({ body }) =>
      endpoint === "responses" ? new OpenAiResponsesStream() : new OpenAiChatStream({ keepsUsage: wantsUsage(body) }),
    error: parsedError,
  };
}

/** Whether the caller asked for the usage of a stream. */
export function wantsUsage({ stream_options }: Body): boolean {
  return typeof stream_options === "object" && stream_options !== null && "include_usage" in stream_options &&
    stream_options.include_usage === true;
}

function bodyFor(endpoint: Endpoint, body: Body, { isStream, cap }: Asked, isOpenAi: boolean): Body {
  const capped = cap === null ? {} : { [capField(endpoint, isOpenAi)]: cap };
  if (endpoint !== "chat" || !isStream) return { ...body, ...capped };
  const options = typeof body["stream_options"] === "object" ? body["stream_options"] : {};
  return { ...body, ...capped, stream_options: { ...options, include_usage: true } };
}

function capField(endpoint: Endpoint, isOpenAi: boolean): string {
  if (endpoint === "responses") return "max_output_tokens";
  return isOpenAi ? "max_completion_tokens" : "max_tokens";
}

function saidIn(endpoint: Endpoint, answer: object): string {
  if (endpoint === "embeddings") return "";
  const parts: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value === "string") parts.push(value);
    else if (typeof value === "object" && value !== null) Object.values(value).forEach(visit);
  };
  const { choices, output }: { readonly choices?: unknown; readonly output?: unknown } = answer;
  const list: readonly unknown[] = Array.isArray(choices) ? choices : Array.isArray(output) ? output : [];
  for (const one of list) {
    const { message, content, arguments: args }: {
      readonly message?: Record<string, unknown>;
      readonly content?: unknown;
      readonly arguments?: unknown;
    } = typeof one === "object" && one !== null ? one : {};
    if (message !== undefined) visit({ ...message, role: null });
    visit(content);
    visit(args);
  }
  return parts.join(" ");
}
