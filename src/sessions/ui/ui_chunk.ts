import type { Json } from "@alkdev/flowgraph";

/** Beside every assistant's message: which turn it is, and what that has used. */
export interface UiMetadata {
  readonly sessionId: string;
  readonly turnId: string;
  /** The turn's run; null: it has not started yet. */
  readonly runId: string | null;
  readonly status: "open" | "done" | "stopped" | "failed";
  readonly steps: number;
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number; readonly costMicros: number };
}

interface ToolChunk {
  readonly toolCallId: string;
  readonly toolName: string;
  /** Tools are not known to the page at build time. */
  readonly dynamic: true;
  /** The hub calls them: the page has nothing to run. */
  readonly providerExecuted: true;
}

/** The part of AI SDK's UI message stream that sessions speak; a test holds it against the SDK's own types. */
export type UiChunk =
  | { readonly type: "start"; readonly messageId: string; readonly messageMetadata: UiMetadata }
  | { readonly type: "start-step" }
  | { readonly type: "text-start" | "text-end" | "reasoning-start" | "reasoning-end"; readonly id: string }
  | { readonly type: "text-delta" | "reasoning-delta"; readonly id: string; readonly delta: string }
  | { readonly type: "tool-input-start" } & ToolChunk
  | { readonly type: "tool-input-delta"; readonly toolCallId: string; readonly inputTextDelta: string }
  | { readonly type: "tool-input-available"; readonly input: Json } & ToolChunk
  | { readonly type: "tool-approval-request"; readonly approvalId: string; readonly toolCallId: string }
  | { readonly type: "tool-approval-response"; readonly approvalId: string; readonly approved: boolean }
  | {
    readonly type: "tool-output-available";
    readonly toolCallId: string;
    readonly output: Json;
    readonly providerExecuted: true;
  }
  | {
    readonly type: "tool-output-error";
    readonly toolCallId: string;
    readonly errorText: string;
    readonly providerExecuted: true;
  }
  | { readonly type: "tool-output-denied"; readonly toolCallId: string }
  | { readonly type: "file"; readonly url: string; readonly mediaType: string }
  | { readonly type: "finish-step" }
  /** What has come of the present step is to be forgotten: it begins anew. */
  | { readonly type: "reset-step" }
  | { readonly type: "message-metadata"; readonly messageMetadata: UiMetadata }
  | { readonly type: "data-notice"; readonly data: { readonly code: string; readonly text: string } }
  /** Something was said to the session while the turn was under way. Not part of the message. */
  | {
    readonly type: "data-steered";
    readonly id: string;
    readonly transient: true;
    readonly data: { readonly messageId: string; readonly text: string };
  }
  | {
    readonly type: "finish";
    readonly finishReason: "stop" | "length" | "content-filter" | "tool-calls" | "interrupted" | "other";
    readonly messageMetadata: UiMetadata;
  }
  | { readonly type: "abort"; readonly reason: string }
  | { readonly type: "error"; readonly errorText: string };

/** A part of AI SDK's UIMessage. */
export type UiPart =
  | { readonly type: "text" | "reasoning"; readonly text: string; readonly state: "done" }
  | { readonly type: "file"; readonly mediaType: string; readonly url: string; readonly filename?: string }
  | { readonly type: "step-start" }
  | UiToolPart
  | {
    readonly type: "data-compaction";
    readonly data: { readonly summary: string; readonly throughSeq: number };
  }
  | { readonly type: "data-notice"; readonly data: { readonly code: string; readonly text: string } };

/** A call of a tool, as AI SDK's `DynamicToolUIPart` has it. */
export type UiToolPart =
  & {
    readonly type: "dynamic-tool";
    readonly toolName: string;
    readonly toolCallId: string;
    readonly providerExecuted: true;
    readonly input: Json;
  }
  & (
    | { readonly state: "input-available" }
    | { readonly state: "approval-requested"; readonly approval: { readonly id: string } }
    | { readonly state: "output-available"; readonly output: Json }
    | { readonly state: "output-error"; readonly errorText: string }
    | { readonly state: "output-denied"; readonly approval: { readonly id: string; readonly approved: false } }
  );

/** AI SDK's UIMessage: what `useChat` begins with. */
export interface UiMessage {
  readonly id: string;
  readonly role: "system" | "user" | "assistant";
  readonly parts: readonly UiPart[];
  readonly metadata?: UiMetadata;
}
