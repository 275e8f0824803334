import type { Message, Part, Session, ToolPart } from "./session.ts";

/** A message of OpenAI's chat completions. */
export type ChatMessage = Readonly<Record<string, unknown>>;

/** Characters of one result of a tool that a model is given. */
const MAX_RESULT = 60_000;

/** What a model is given of a session: its instructions, and all that was said since the last compaction. */
export function chatMessages(session: Session, messages: readonly Message[]): readonly ChatMessage[] {
  const compaction = lastCompaction(messages);
  const rest = compaction === null ? messages : messages.filter(({ seq }) => seq > compaction.throughSeq);
  const head: ChatMessage[] = [];
  const system = instructions(session);
  if (system !== "") head.push({ role: "system", content: system });
  if (compaction !== null) {
    head.push({ role: "user", content: `[Summary of what was said before]\n${compaction.summary}` });
  }
  return [...head, ...rest.flatMap(chatMessage)];
}

/** The newest compaction among messages; null: there is none. */
export function lastCompaction(messages: readonly Message[]): Extract<Part, { type: "compaction" }> | null {
  for (const { parts } of messages.toReversed()) {
    const found = parts.find((part) => part.type === "compaction");
    if (found !== undefined) return found;
  }
  return null;
}

function instructions({ agent, workspace }: Session): string {
  const where = workspace === null ? [] : [
    `You work on spoke "${workspace.spoke}" in directory "${workspace.directory}"${
      workspace.branch === null ? "" : `, on branch "${workspace.branch}"`
    }.`,
  ];
  return [agent.systemPrompt, ...where].filter((one) => one !== "").join("\n\n");
}

function chatMessage({ role, parts }: Message): readonly ChatMessage[] {
  if (role === "assistant") return assistantMessages(parts);
  const content = parts.flatMap(contentOf);
  if (content.length === 0) return [];
  const isText = content.every(({ type }) => type === "text");
  return [{ role: "user", content: isText ? content.map(({ text }) => text).join("\n") : content }];
}

function contentOf(part: Part): readonly ({ readonly type: string } & ChatMessage)[] {
  if (part.type === "text") return [{ type: "text", text: part.text }];
  if (part.type === "notice") return [{ type: "text", text: `[hub] ${part.text}` }];
  if (part.type !== "file") return [];
  const { mediaType, url, filename } = part;
  if (mediaType.startsWith("image/")) return [{ type: "image_url", image_url: { url } }];
  return [{ type: "file", file: { file_data: url, ...(filename !== undefined && { filename }) } }];
}

function assistantMessages(parts: readonly Part[]): readonly ChatMessage[] {
  const tools = parts.filter((part): part is ToolPart => part.type === "tool");
  const text = parts.flatMap((part) => part.type === "text" || part.type === "notice" ? [part.text] : []).join("\n");
  if (text === "" && tools.length === 0) return [];
  const calls = tools.map(({ toolCallId, toolName, input }) => ({
    id: toolCallId,
    type: "function",
    function: { name: toolName, arguments: typeof input === "string" ? input : JSON.stringify(input) },
  }));
  return [
    { role: "assistant", content: text === "" ? null : text, ...(calls.length > 0 && { tool_calls: calls }) },
    ...tools.map((tool) => ({ role: "tool", tool_call_id: tool.toolCallId, content: resultText(tool) })),
  ];
}

/** What became of a call, in words for the model. */
export function resultText({ state, output, errorText }: ToolPart): string {
  if (state === "output-available") return cut(typeof output === "string" ? output : JSON.stringify(output ?? null));
  if (state === "output-denied") return `A person has said no${errorText === undefined ? "" : `: ${errorText}`}`;
  if (state === "output-error") return cut(`Error: ${errorText ?? "it failed"}`);
  return "It has not ended yet";
}

function cut(text: string): string {
  return text.length <= MAX_RESULT ? text : `${text.slice(0, MAX_RESULT)}… (cut: ${text.length} characters in all)`;
}
