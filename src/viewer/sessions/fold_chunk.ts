import type { MessagePart, ToolPart, UiChunk, UiMessage } from "./ui_message.ts";

/** The assistant's message after one more chunk; null before the first. Pure. */
export function foldChunk(message: UiMessage | null, chunk: UiChunk): UiMessage | null {
  if (chunk.type === "start") {
    return { id: chunk.messageId ?? "", role: "assistant", parts: [], ...metadataOf(chunk) };
  }
  if (message === null) return null;
  const parts = foldParts(message.parts, chunk);
  return { ...message, parts, ...metadataOf(chunk) };
}

function metadataOf({ messageMetadata }: UiChunk): Pick<UiMessage, "metadata"> {
  return messageMetadata === undefined ? {} : { metadata: messageMetadata };
}

function foldParts(parts: readonly MessagePart[], chunk: UiChunk): readonly MessagePart[] {
  const { type, id = "", delta = "", toolCallId = "", toolName = "" } = chunk;
  switch (type) {
    case "start-step":
      return [...parts, { type: "step-start" }];
    case "reset-step":
      return parts.slice(0, parts.findLastIndex((part) => part.type === "step-start") + 1);
    case "text-start":
    case "reasoning-start":
      return [...parts, { type: type === "text-start" ? "text" : "reasoning", text: "", id }];
    case "text-delta":
    case "reasoning-delta":
      return changeLast(
        parts,
        (part) => "text" in part && part.id === id,
        (part) => "text" in part ? { ...part, text: part.text + delta } : part,
      );
    case "tool-input-start":
      return [...parts, { type: "dynamic-tool", toolName, toolCallId, state: "input-streaming", input: null }];
    case "tool-input-available": {
      const known = parts.some((part) => part.type === "dynamic-tool" && part.toolCallId === toolCallId);
      const tool = {
        type: "dynamic-tool",
        toolName,
        toolCallId,
        input: chunk.input,
        state: "input-available",
      } as const;
      return known ? changeTool(parts, toolCallId, () => tool) : [...parts, tool];
    }
    case "file":
      return [...parts, { type, url: chunk.url ?? "", mediaType: chunk.mediaType ?? "" }];
    case "data-notice":
      return chunk.data === undefined ? parts : [...parts, { type, data: chunk.data }];
    default:
      return type.startsWith("tool-")
        ? changeTool(parts, toolCallId, (tool) => ({ ...tool, ...toolChange(chunk) }))
        : parts;
  }
}

function toolChange(chunk: UiChunk): Partial<ToolPart> {
  switch (chunk.type) {
    case "tool-approval-request":
      return { state: "approval-requested", approval: { id: chunk.approvalId ?? "" } };
    case "tool-approval-response":
      return { state: "approval-responded" };
    case "tool-output-available":
      return { state: "output-available", output: chunk.output };
    case "tool-output-error":
      return { state: "output-error", errorText: chunk.errorText ?? "" };
    case "tool-output-denied":
      return { state: "output-denied" };
    default:
      return {};
  }
}

function changeTool(
  parts: readonly MessagePart[],
  toolCallId: string,
  change: (tool: ToolPart) => ToolPart,
): readonly MessagePart[] {
  return changeLast(
    parts,
    (part) => part.type === "dynamic-tool" && part.toolCallId === toolCallId,
    (part) => part.type === "dynamic-tool" ? change(part) : part,
  );
}

function changeLast(
  parts: readonly MessagePart[],
  isIt: (part: MessagePart) => boolean,
  change: (part: MessagePart) => MessagePart,
): readonly MessagePart[] {
  const at = parts.findLastIndex(isIt);
  return at === -1 ? parts : parts.with(at, change(parts[at]!));
}
