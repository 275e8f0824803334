import type { Message, Part, SessionTurn, ToolPart } from "../session.ts";
import { visible } from "../visible.ts";
import { approvalId } from "./approval_id.ts";
import type { UiMessage, UiMetadata, UiPart, UiToolPart } from "./ui_chunk.ts";

/**
 * A session's messages as a page shows them, oldest first: all steps of a turn are one message of the assistant, whose id is the
 * turn's and which follows what began the turn. What steered a turn follows the turn.
 *
 * @param turns Those that the messages name; one that is missing counts as done.
 */
export function uiMessages(all: readonly Message[], turns: readonly SessionTurn[]): readonly UiMessage[] {
  const messages = visible(all);
  const byId = new Map(turns.map((turn) => [turn.id, turn]));
  const list: Draft[] = [];
  const drafts = new Map<string, Draft>();
  for (const message of messages) {
    if (message.role !== "assistant") {
      list.push({ id: message.id, role: message.role, parts: partsOf(message) });
      continue;
    }
    const { turnId } = message;
    const id = turnId ?? copiedTurn(list, message);
    let draft = drafts.get(id);
    if (draft === undefined) {
      draft = { id, role: "assistant", parts: [], ...(turnId !== null && { turnId }) };
      drafts.set(id, draft);
      list.splice(placeOf(list, messages, turnId), 0, draft);
    }
    draft.parts.push(...partsOf(message));
  }
  return list.map(({ turnId, ...message }) => {
    const turn = turnId === undefined ? undefined : byId.get(turnId);
    return turn === undefined ? message : { ...message, metadata: metadataOf(turn) };
  });
}

interface Draft {
  readonly id: string;
  readonly role: UiMessage["role"];
  readonly parts: UiPart[];
  readonly turnId?: string;
}

/** A fork's messages are of no turn: what follows a user's message until the next one belongs together. */
function copiedTurn(list: readonly Draft[], message: Message): string {
  const last = list.at(-1);
  return last?.role === "assistant" ? last.id : message.id;
}

/** Behind the first user's message of the turn; at the end, where it began with none. */
function placeOf(list: readonly Draft[], messages: readonly Message[], turnId: string | null): number {
  if (turnId === null) return list.length;
  const first = messages.find((message) => message.role === "user" && message.turnId === turnId);
  const at = first === undefined ? -1 : list.findIndex(({ id }) => id === first.id);
  return at === -1 ? list.length : at + 1;
}

export function metadataOf(turn: SessionTurn): UiMetadata {
  const { id, sessionId, runId, status, steps, inputTokens, outputTokens, costMicros } = turn;
  return { sessionId, turnId: id, runId, status, steps, usage: { inputTokens, outputTokens, costMicros } };
}

function partsOf({ id, role, parts }: Message): UiPart[] {
  const shown = parts.flatMap((part): readonly UiPart[] => {
    const found = partOf(id, part);
    return found === null ? [] : [found];
  });
  return role === "assistant" && parts[0]?.type !== "step-start" ? [{ type: "step-start" }, ...shown] : shown;
}

/** Null: not for pages. */
function partOf(messageId: string, part: Part): UiPart | null {
  switch (part.type) {
    case "text":
    case "reasoning":
      return { type: part.type, text: part.text, state: "done" };
    case "file":
    case "step-start":
      return part;
    case "tool":
      return toolOf(messageId, part);
    case "compaction":
      return { type: "data-compaction", data: { summary: part.summary, throughSeq: part.throughSeq } };
    case "notice":
      return { type: "data-notice", data: { code: part.code, text: part.text } };
    case "step-finish":
    case "retraction":
      return null;
  }
}

function toolOf(messageId: string, part: ToolPart): UiToolPart {
  const { toolName, toolCallId, input, state, output = null, errorText = "" } = part;
  const head = { type: "dynamic-tool", toolName, toolCallId, providerExecuted: true, input } as const;
  const id = approvalId(messageId, part);
  switch (state) {
    case "input-available":
      return { ...head, state };
    case "approval-requested":
      return { ...head, state, approval: { id } };
    case "output-available":
      return { ...head, state, output };
    case "output-error":
      return { ...head, state, errorText };
    case "output-denied":
      return { ...head, state, approval: { id, approved: false } };
  }
}
