/** What a session is. Times are ms since the epoch, money is in millionths of a currency unit. */
import type { Json } from "@alkdev/flowgraph";
import type { Identity } from "@alkdev/operations";
import type { EventError } from "../runs/mod.ts";

/**
 * `busy`: a turn is under way. `waiting`: it is, and waits for a person. `stopped`, `failed`: so the last turn ended; the session
 * can be prompted again.
 */
export type SessionStatus = "idle" | "busy" | "waiting" | "stopped" | "failed";

/** `direct`: the loop runs in the hub. `runner`: on a spoke that writes through the hub's operations. */
export type SessionKind = "direct" | "runner";

/** What one turn may use; null: as much as it likes. */
export interface SessionLimits {
  readonly maxSteps: number | null;
  readonly maxTokens: number | null;
  readonly maxCostMicros: number | null;
  readonly maxTurnMs: number | null;
}

/** What the session may use in all its turns; null: as much as it likes. */
export interface SessionBudget {
  readonly steps: number | null;
  readonly tokens: number | null;
  readonly costMicros: number | null;
  /** Time that turns are under way. */
  readonly timeMs: number | null;
}

/** What a session has used, of all its turns that were recorded. */
export interface SessionUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costMicros: number;
  readonly steps: number;
  readonly turns: number;
  readonly toolCalls: number;
  readonly toolErrors: number;
  /** Calls that could not be read, and not be repaired either. */
  readonly malformedCalls: number;
  /** Time that turns which are over were under way. */
  readonly turnMs: number;
}

/** What a session may call beside `hub.list`, `hub.search`, `hub.schema` and `hub.call`. */
export interface SessionTools {
  /** Ids or patterns (`fs.*`) of operations. */
  readonly operations: readonly string[];
  /** Names or patterns of workflows. */
  readonly workflows: readonly string[];
  /** Those of them that need a person's yes; `workflow.<name>` for a workflow. */
  readonly approve: readonly string[];
}

/** How a session was told to be, as its role was when it was created. */
export interface SessionAgent {
  readonly systemPrompt: string;
  readonly temperature: number | null;
  /** Null: no role, and so whatever its owner may call, through `hub.call`. */
  readonly tools: SessionTools | null;
}

/** In whose name a session acts: what it may do is never more than this, nor than the key may do by then. */
export interface SessionOwner {
  /** Null: there was no key, as for a session that a run has made. */
  readonly keyId: string | null;
  readonly identity: Identity;
}

/** Where a session works. */
export interface SessionWorkspace {
  readonly spoke: string;
  readonly directory: string;
  readonly branch: string | null;
}

export interface Session {
  readonly id: string;
  readonly orgId: string;
  /** Unique in its organization; made of the first title. */
  readonly slug: string;
  readonly title: string;
  readonly createdBy: string;
  readonly owner: SessionOwner;
  /** Null: no role. */
  readonly role: { readonly name: string; readonly version: number } | null;
  readonly agent: SessionAgent;
  readonly model: string;
  readonly kind: SessionKind;
  readonly status: SessionStatus;
  /** The session that made it; null: none. */
  readonly parentId: string | null;
  /** The run that made it, the call of it in which that was, and the run above all; null: none. */
  readonly spawnedBy: RunPlace | null;
  /** The session and message that it was forked from; null: it was not. */
  readonly forkOf: { readonly sessionId: string; readonly messageId: string | null } | null;
  readonly workspace: SessionWorkspace | null;
  readonly limits: SessionLimits;
  readonly budget: SessionBudget;
  readonly usage: SessionUsage;
  readonly labels: Readonly<Record<string, string>>;
  /** Of its last message. */
  readonly lastSeq: number;
  /** The turn that is under way; null: none is. */
  readonly turnId: string | null;
  /** Its run, once it has started; of a session without a turn, the last one's. */
  readonly runId: string | null;
  /** Why the last turn failed; null: it did not. */
  readonly error: EventError | null;
  readonly lastActivityAt: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A call of a run: what is started in it stands below it in the call graph. */
export interface RunPlace {
  readonly runId: string;
  readonly requestId: string;
  readonly rootRunId: string;
}

/** From a prompt until nothing is left to do. */
export interface SessionTurn {
  readonly id: string;
  readonly orgId: string;
  readonly sessionId: string;
  /** 1, 2, 3 … per session. */
  readonly n: number;
  readonly status: "open" | "done" | "stopped" | "failed";
  /** Null: it has not started, or the hub that was to start it has gone. */
  readonly runId: string | null;
  /** Where its run stands; null: it is a run of its own. */
  readonly parent: RunPlace | null;
  readonly steps: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costMicros: number;
  readonly error: EventError | null;
  readonly startedAt: number;
  /** Null while it is open. */
  readonly endedAt: number | null;
}

export type MessageRole = "user" | "assistant" | "system";

/** A message; one of an assistant is one step of a turn. */
export interface Message {
  readonly id: string;
  readonly sessionId: string;
  /** 1, 2, 3 … per session, without gaps. */
  readonly seq: number;
  readonly role: MessageRole;
  readonly parts: readonly Part[];
  /** The turn it belongs to; of a user's message, the one that it began or steered. Null: it was copied by a fork, or is of none. */
  readonly turnId: string | null;
  readonly runId: string | null;
  /** From 1 in its turn; null: no step. */
  readonly step: number | null;
  readonly createdAt: number;
}

export type ToolState =
  | "input-available"
  | "approval-requested"
  | "output-available"
  | "output-error"
  | "output-denied";

/** A call of a tool, and what became of it. */
export interface ToolPart {
  readonly type: "tool";
  /** As the model knows it. */
  readonly toolName: string;
  readonly toolCallId: string;
  /** What is called: an operation's id, or `workflow.<name>`. Null: there is no such tool. */
  readonly operationId: string | null;
  readonly state: ToolState;
  readonly input: Json;
  /** How its Approval is answered: the key of the node in the run; absent: nobody is asked. */
  readonly approvalKey?: string;
  readonly output?: Json;
  readonly errorText?: string;
}

export type Part =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "reasoning"; readonly text: string }
  /** `url`: `https:` or `data:`. */
  | { readonly type: "file"; readonly mediaType: string; readonly url: string; readonly filename?: string }
  | { readonly type: "step-start" }
  | ToolPart
  | {
    readonly type: "step-finish";
    readonly finishReason: string;
    readonly inputTokens: number;
    readonly outputTokens: number;
    readonly costMicros: number;
    readonly model: string;
    /** Seq of the last message that the model was given. */
    readonly seenSeq: number;
    /** Run of the call of the model. */
    readonly callRunId: string | null;
  }
  /** Stands for all messages with a seq up to `throughSeq`. */
  | { readonly type: "compaction"; readonly summary: string; readonly throughSeq: number }
  /** Takes back all messages from this seq on that came before it: for nobody to read, nor for the model. */
  | { readonly type: "retraction"; readonly fromSeq: number }
  /** What the hub has to say, to the model as well. */
  | { readonly type: "notice"; readonly code: string; readonly text: string };

/** A tool part in a state that nothing follows. */
export function isToolEnded({ state }: ToolPart): boolean {
  return state === "output-available" || state === "output-error" || state === "output-denied";
}
