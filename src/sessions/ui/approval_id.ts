import type { ToolPart } from "../session.ts";

/** How a page names the question whether a tool may be called: by its message and call, which stay what they are. */
export function approvalId(messageId: string, { toolCallId }: Pick<ToolPart, "toolCallId">): string {
  return `${messageId}:${toolCallId}`;
}
