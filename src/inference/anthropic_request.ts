import { invalidRequest } from "./inference_error.ts";
import type { Asked, Body } from "./wire.ts";

const DEFAULT_MAX_TOKENS = 4_096;

type Fields = Readonly<Record<string, unknown>>;
type Block = Record<string, unknown>;

/**
 * A chat completion's request as Anthropic takes it. What that wire cannot say (logprobs, several choices, penalties, seeds) is an
 * error where it would change the answer, and left out where it would not.
 */
export function anthropicBody({ body, isStream, cap }: Asked, model: string): Body {
  const { n, logprobs } = body;
  if (typeof n === "number" && n > 1) throw invalidRequest("This model gives one choice: n must be 1", "n");
  if (logprobs === true) throw invalidRequest("This model gives no logprobs", "logprobs");
  const messages = listOf(body["messages"], "messages");
  const system = messages.filter(({ role }) => role === "system" || role === "developer").map(({ content }) =>
    textOf(content)
  );
  const { tools, tool_choice: choice } = body;
  const stop = body["stop"];
  const format = body["response_format"];
  if (isFields(format) && format["type"] === "json_schema") {
    system.push(`Answer with JSON alone, which this schema describes: ${JSON.stringify(format["json_schema"])}`);
  } else if (isFields(format) && format["type"] === "json_object") system.push("Answer with a JSON object alone.");
  return {
    model,
    max_tokens: body["max_completion_tokens"] ?? body["max_tokens"] ?? cap ?? DEFAULT_MAX_TOKENS,
    messages: merged(messages.filter(({ role }) => role !== "system" && role !== "developer").map(messageOf)),
    ...(system.length > 0 && { system: system.join("\n\n") }),
    ...given("temperature", typeof body["temperature"] === "number" ? Math.min(1, body["temperature"]) : undefined),
    ...given("top_p", body["top_p"] ?? undefined),
    ...given("stop_sequences", typeof stop === "string" ? [stop] : Array.isArray(stop) ? stop : undefined),
    ...(Array.isArray(tools) && { tools: tools.map(toolOf) }),
    ...given("tool_choice", choiceOf(choice, body["parallel_tool_calls"])),
    ...(typeof body["user"] === "string" && { metadata: { user_id: body["user"] } }),
    ...(isStream && { stream: true }),
  };
}

function messageOf(message: Fields): { readonly role: "user" | "assistant"; readonly content: Block[] } {
  const { role, content, tool_calls: calls, tool_call_id: id } = message;
  if (role === "tool" || role === "function") {
    return { role: "user", content: [{ type: "tool_result", tool_use_id: id, content: textOf(content) }] };
  }
  const blocks = blocksOf(content);
  if (role !== "assistant") return { role: "user", content: blocks };
  for (const call of Array.isArray(calls) ? calls : []) {
    const { name, arguments: args } = isFields(call) && isFields(call["function"]) ? call["function"] : {};
    blocks.push({ type: "tool_use", id: isFields(call) ? call["id"] : "", name, input: parsed(args) });
  }
  return { role: "assistant", content: blocks };
}

/** That wire wants the roles to alternate. */
function merged(messages: readonly { readonly role: string; readonly content: Block[] }[]): readonly unknown[] {
  const list: { role: string; content: Block[] }[] = [];
  for (const { role, content } of messages) {
    if (content.length === 0) continue;
    const last = list.at(-1);
    if (last?.role === role) last.content.push(...content);
    else list.push({ role, content: [...content] });
  }
  return list;
}

function blocksOf(content: unknown): Block[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  if (!Array.isArray(content)) return [];
  return content.map((part: unknown): Block => {
    if (!isFields(part)) throw invalidRequest("A part of a message is no object", "messages");
    if (part["type"] === "text" || part["type"] === "refusal") {
      return { type: "text", text: part["text"] ?? part["refusal"] };
    }
    if (part["type"] === "image_url") return imageOf(part["image_url"]);
    throw invalidRequest(`This model takes no part of type "${String(part["type"])}"`, "messages");
  });
}

const DATA_URL = /^data:([a-z]+\/[a-z0-9.+-]+);base64,/;

function imageOf(image: unknown): Block {
  const url = isFields(image) ? image["url"] : image;
  if (typeof url !== "string") throw invalidRequest("A picture has no url", "messages");
  const [prefix, media_type] = DATA_URL.exec(url) ?? [];
  return prefix === undefined
    ? { type: "image", source: { type: "url", url } }
    : { type: "image", source: { type: "base64", media_type, data: url.slice(prefix.length) } };
}

function toolOf(tool: unknown): Block {
  if (!isFields(tool) || !isFields(tool["function"])) {
    throw invalidRequest("This model takes functions as tools only", "tools");
  }
  const { name, description, parameters } = tool["function"];
  return {
    name,
    ...given("description", description),
    input_schema: parameters ?? { type: "object", properties: {} },
  };
}

function choiceOf(choice: unknown, parallel: unknown): Block | undefined {
  const single = parallel === false ? { disable_parallel_tool_use: true } : {};
  if (choice === "none") return { type: "none" };
  if (choice === "required") return { type: "any", ...single };
  if (isFields(choice) && isFields(choice["function"])) {
    return { type: "tool", name: choice["function"]["name"], ...single };
  }
  return choice === "auto" || parallel === false ? { type: "auto", ...single } : undefined;
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return content === null || content === undefined ? "" : JSON.stringify(content);
  return content.map((part: unknown) => isFields(part) ? String(part["text"] ?? "") : "").join("");
}

function parsed(args: unknown): unknown {
  if (typeof args !== "string") return {};
  try {
    return JSON.parse(args === "" ? "{}" : args);
  } catch {
    throw invalidRequest("The arguments of a tool call are not JSON", "messages");
  }
}

function listOf(value: unknown, param: string): readonly Fields[] {
  if (Array.isArray(value) && value.every(isFields)) return value;
  throw invalidRequest(`"${param}" must be a list of objects`, param);
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function given(name: string, value: unknown): Fields {
  return value === undefined || value === null ? {} : { [name]: value };
}
