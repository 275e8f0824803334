import type { Style } from "./style.ts";
import { safeText } from "./text_width.ts";

/** A message of an agent session, as the API has it. */
export interface SessionMessage {
  readonly id: string;
  readonly seq: number;
  readonly role: string;
  readonly parts: readonly MessagePart[];
}

interface MessagePart {
  readonly type: string;
  readonly text?: string;
  readonly summary?: string;
  readonly filename?: string;
  readonly toolName?: string;
  readonly operationId?: string | null;
  readonly state?: string;
  readonly input?: unknown;
  readonly errorText?: string;
}

const MAX_INPUT = 160;

/** A message for a terminal: who said it, what, and which tools were called. */
export function messageText({ role, seq, parts }: SessionMessage, style: Style): string {
  return [style.dim(`${seq} ${role}`), ...parts.flatMap((part) => partLines(part, style))].join("\n");
}

function partLines(part: MessagePart, style: Style): readonly string[] {
  switch (part.type) {
    case "text":
      return (part.text ?? "").split("\n").map(safeText);
    case "reasoning":
      return (part.text ?? "").split("\n").map((line) => style.dim(safeText(line)));
    case "notice":
      return [style.dim(safeText(part.text ?? ""))];
    case "compaction":
      return [style.dim(`(summary) ${safeText(part.summary ?? "")}`)];
    case "file":
      return [style.dim(`(file) ${safeText(part.filename ?? "")}`)];
    case "tool": {
      const input = JSON.stringify(part.input ?? null);
      const shown = input.length > MAX_INPUT ? `${input.slice(0, MAX_INPUT)}…` : input;
      const why = part.errorText === undefined ? "" : `: ${part.errorText}`;
      return [safeText(`→ ${part.operationId ?? part.toolName} ${shown} ${part.state}${why}`)];
    }
    default:
      return [];
  }
}
