/** A session's messages and the stream of its turn, as far as the page shows them: AI SDK's UIMessage and its chunks. */

export interface ToolPart {
  readonly type: "dynamic-tool";
  readonly toolName: string;
  readonly toolCallId: string;
  /** `input-streaming`, `input-available`, `approval-requested`, `output-available`, `output-error` or `output-denied`. */
  readonly state: string;
  readonly input: unknown;
  /** The arguments so far, while they come. */
  readonly inputText?: string;
  readonly output?: unknown;
  readonly errorText?: string;
  readonly approval?: { readonly id: string };
}

export type MessagePart =
  | { readonly type: "text" | "reasoning"; readonly text: string; readonly id?: string }
  | { readonly type: "file"; readonly mediaType: string; readonly url: string; readonly filename?: string }
  | { readonly type: "step-start" }
  | ToolPart
  | { readonly type: "data-compaction"; readonly data: { readonly summary: string } }
  | { readonly type: "data-notice"; readonly data: { readonly code: string; readonly text: string } };

export interface TurnMetadata {
  readonly turnId: string;
  /** Null: it has not started yet. */
  readonly runId: string | null;
  readonly status: string;
  readonly steps: number;
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number; readonly costMicros: number };
}

export interface UiMessage {
  /** Of a user's message, or of an assistant's turn. */
  readonly id: string;
  readonly role: "system" | "user" | "assistant";
  readonly parts: readonly MessagePart[];
  readonly metadata?: TurnMetadata;
}

/** A chunk; kinds that are not known are left out. */
export interface UiChunk {
  readonly type: string;
  readonly id?: string;
  readonly messageId?: string;
  readonly messageMetadata?: TurnMetadata;
  readonly delta?: string;
  readonly toolCallId?: string;
  readonly toolName?: string;
  readonly inputTextDelta?: string;
  readonly input?: unknown;
  readonly output?: unknown;
  readonly errorText?: string;
  readonly approvalId?: string;
  readonly url?: string;
  readonly mediaType?: string;
  readonly data?: { readonly code: string; readonly text: string };
}
