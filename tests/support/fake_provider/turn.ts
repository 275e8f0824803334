/** What the fake model answers: decided from the conversation, the same for the same conversation. */

/** A message of any of the wires, reduced to what decides the answer. */
export interface Said {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly text: string;
}

/** One answer of the model, independent of the wire it goes out on. */
export interface Turn {
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  /** Why it ended; default: `tool_calls` with calls, else `stop`. */
  readonly finish?: "stop" | "tool_calls" | "length";
  /** What the provider says it used; default: counted. */
  readonly usage?: { readonly input: number; readonly output: number };
}

export interface ToolCall {
  readonly name: string;
  /** As it goes out: a string, so that it may be malformed. */
  readonly arguments: string;
}

/** `tool:search {"q": "x"}`: one call a line. */
const TOOL_LINE = /^tool:([A-Za-z0-9_.-]+)[ \t]*(.*)$/;
/** `say:text`: exactly this. */
const SAY_LINE = /^say:(.*)$/;

/**
 * A last message of a tool is repeated; lines `tool:<name> <arguments>` of a last user message become calls, lines `say:<text>`
 * the answer; anything else is answered with `You said: …`.
 */
export function turnOf(messages: readonly Said[]): Turn {
  const last = messages.findLast(({ role }) => role === "user" || role === "tool");
  if (last === undefined) return { text: "Nothing was said.", toolCalls: [] };
  if (last.role === "tool") return { text: `The tool said: ${last.text}`, toolCalls: [] };
  const lines = last.text.split("\n").map((line) => line.trim());
  const toolCalls = lines.flatMap((line) => {
    const [, name, args = ""] = TOOL_LINE.exec(line) ?? [];
    return name === undefined ? [] : [{ name, arguments: args === "" ? "{}" : args }];
  });
  const said = lines.flatMap((line) => SAY_LINE.exec(line)?.[1]?.trim() ?? []);
  if (toolCalls.length > 0 || said.length > 0) return { text: said.join("\n"), toolCalls };
  return { text: `You said: ${last.text}`, toolCalls: [] };
}

/** Four characters a token: no tokenizer's count, but one that every wire shares. */
export function countTokens(text: string): number {
  return Math.ceil(text.length / 4);
}

/** What the model was given and gave, in tokens. */
export function usageOf(messages: readonly Said[], turn: Turn): { readonly input: number; readonly output: number } {
  if (turn.usage !== undefined) return turn.usage;
  const input = messages.reduce((sum, { text }) => sum + 3 + countTokens(text), 3);
  const calls = turn.toolCalls.reduce((sum, call) => sum + countTokens(call.name + call.arguments), 0);
  return { input, output: countTokens(turn.text) + calls };
}

/** A text as it is streamed: words with the space before them. */
export function pieces(text: string): readonly string[] {
  return text.match(/\s*\S+|\s+$/g) ?? [];
}

/** Cuts a turn to `max` tokens; tool calls are never cut. */
export function limited(turn: Turn, max: number | undefined): Turn {
  if (max === undefined || turn.toolCalls.length > 0 || countTokens(turn.text) <= max) return turn;
  return { ...turn, text: turn.text.slice(0, max * 4), finish: "length" };
}

/** The content of a message as text, whatever parts it has. */
export function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return content === null || content === undefined ? "" : JSON.stringify(content);
  return content.map((part: unknown) => {
    const { type, text, content: inner } = (part ?? {}) as { type?: string; text?: string; content?: unknown };
    if (typeof text === "string") return text;
    return inner !== undefined ? textOf(inner) : `[${type ?? "part"}]`;
  }).join("\n");
}

/** A value that fits a JSON Schema, as simple as can be: what structured output is answered with. */
export function sampleOf(schema: unknown): unknown {
  const { type, properties = {}, items, enum: values, const: only, anyOf } = (schema ?? {}) as {
    type?: string | readonly string[];
    properties?: Record<string, unknown>;
    items?: unknown;
    enum?: readonly unknown[];
    const?: unknown;
    anyOf?: readonly unknown[];
  };
  if (only !== undefined) return only;
  if (values !== undefined) return values[0];
  if (anyOf !== undefined) return sampleOf(anyOf[0]);
  switch (Array.isArray(type) ? type[0] : type) {
    case "object":
      return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, sampleOf(value)]));
    case "array":
      return items === undefined ? [] : [sampleOf(items)];
    case "integer":
    case "number":
      return 7;
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return "text";
  }
}
