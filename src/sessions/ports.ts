/** What sessions need of the world. The store's conformance suite is in tests/conformance. */
import type { Json } from "@alkdev/flowgraph";
import type { OperationContext, OperationSpec, ResponseEnvelope } from "@alkdev/operations";
import type { Caller, EventError, Page, WorkflowVersion } from "../runs/mod.ts";
import type {
  Message,
  Part,
  RunPlace,
  Session,
  SessionLimits,
  SessionOwner,
  SessionStatus,
  SessionTools,
  SessionTurn,
  SessionUsage,
  ToolPart,
} from "./session.ts";

/** What a new session does not say is what every new one has. */
export type NewSession = Omit<
  Session,
  "status" | "usage" | "lastSeq" | "turnId" | "runId" | "error" | "lastActivityAt" | "updatedAt"
>;

export type NewMessage = Pick<Message, "id" | "role" | "parts" | "createdAt">;

export interface SessionKey {
  readonly orgId: string;
  readonly sessionId: string;
}

/** Filters of the list of sessions; all given ones must hold. Last active first. */
export interface SessionQuery {
  readonly orgId: string;
  readonly status?: readonly SessionStatus[];
  readonly parentId?: string;
  readonly role?: string;
  readonly createdBy?: string;
  /** `key=value`, or `key` for any value. */
  readonly label?: readonly string[];
  readonly limit: number;
  readonly cursor?: string;
}

/** What a step adds to what its session and turn have used. */
export type StepUsage = Pick<SessionUsage, "inputTokens" | "outputTokens" | "costMicros" | "malformedCalls">;

/** How a turn ends. */
export interface TurnEnd {
  readonly turnId: string;
  readonly status: "done" | "stopped" | "failed";
  readonly error: EventError | null;
  readonly at: number;
  /** Ends it only if nothing was said to the session after the message with this seq; absent: in any case. */
  readonly seenSeq?: number;
  /** What is said of calls of tools that have not ended. */
  readonly unfinished: string;
}

export interface SearchHit {
  readonly session: Session;
  /** The messages that hold the text, newest first, with a piece of it; empty: the title does. */
  readonly matches: readonly { readonly messageId: string; readonly seq: number; readonly excerpt: string }[];
}

/**
 * Sessions with their messages and turns. All that changes a session does so in one transaction in which the session is locked:
 *
 * - S1 Seqs of a session's messages are 1, 2, 3 …, in the order in which they became durable.
 * - S2 At most one turn of a session is open, and it is the one that its `turnId` names.
 * - S3 What is recorded under a request id is recorded once: asking again gives what there is.
 * - S4 Usage is the sum of what was recorded with it.
 * - S5 Nothing is added to a turn that has ended.
 */
export interface SessionStore {
  /** `duplicate`: there is one with this id or idempotency key, and it is given. */
  create(
    params: { readonly session: NewSession; readonly idempotencyKey: string | null },
  ): Promise<{ readonly session: Session; readonly duplicate: boolean }>;
  get(key: SessionKey): Promise<Session | null>;
  list(query: SessionQuery): Promise<Page<Session>>;
  /** Null: there is none. */
  update(
    params: SessionKey & {
      readonly title?: string;
      readonly labels?: Readonly<Record<string, string>>;
      readonly workspace?: Session["workspace"];
      readonly at: number;
    },
  ): Promise<Session | null>;
  /** With ascending seqs after `after`; `newest`: the last `limit` of them. */
  messages(
    params: SessionKey & { readonly after?: number; readonly limit: number; readonly newest?: boolean },
  ): Promise<readonly Message[]>;
  /**
   * Adds a user's message. An open turn is steered by it; else `turn` is opened, which nobody has started yet.
   *
   * @returns null: there is no such session
   */
  prompt(
    params: SessionKey & {
      readonly message: NewMessage;
      readonly idempotencyKey: string | null;
      readonly turn: { readonly id: string; readonly parent: RunPlace | null };
    },
  ): Promise<
    {
      readonly message: Message;
      readonly turn: SessionTurn;
      readonly steered: boolean;
      readonly duplicate: boolean;
    } | null
  >;
  /** Adds a message that is part of no turn: a compaction, a notice. @returns null: there is no such session */
  add(
    params: SessionKey & {
      readonly message: NewMessage;
      readonly requestId: string;
      /** Absent: nothing was used for it. */
      readonly usage?: Pick<StepUsage, "inputTokens" | "outputTokens" | "costMicros">;
    },
  ): Promise<Message | null>;
  turn(params: { readonly orgId: string; readonly turnId: string }): Promise<SessionTurn | null>;
  /** The turns of a session, newest first. */
  turns(params: SessionKey & { readonly limit: number }): Promise<readonly SessionTurn[]>;
  /** Says which run a turn is. A turn that has one keeps it. */
  started(params: { readonly turnId: string; readonly runId: string }): Promise<void>;
  /**
   * Records a step: what the model said.
   *
   * @returns null: the turn has ended
   */
  step(
    params: {
      readonly turnId: string;
      readonly requestId: string;
      readonly message: NewMessage;
      readonly usage: StepUsage;
      readonly status: "busy" | "waiting";
    },
  ): Promise<{ readonly message: Message; readonly duplicate: boolean } | null>;
  /** The step that was recorded under a request id; null: none was. */
  stepOf(params: { readonly turnId: string; readonly requestId: string }): Promise<Message | null>;
  /**
   * Says what has become of a call of a tool. One that has ended stays as it is.
   *
   * @returns the part as it is now; null: there is none
   */
  tool(
    params: {
      readonly turnId: string;
      readonly messageId: string;
      readonly toolCallId: string;
      readonly change: Pick<ToolPart, "state" | "output" | "errorText">;
      readonly at: number;
    },
  ): Promise<ToolPart | null>;
  /** Ends a turn, once. @returns the turn as it is now; still open: something was said after `seenSeq`. Null: there is none */
  end(params: TurnEnd): Promise<SessionTurn | null>;
  /** What was said of a turn that was stopped, if nothing was said since. */
  partial(params: { readonly turnId: string; readonly requestId: string; readonly message: NewMessage }): Promise<void>;
  /** Open turns that began before `before`, oldest first: for whoever looks after what a crash has left. */
  openTurns(params: { readonly before: number; readonly limit: number }): Promise<readonly SessionTurn[]>;
  /** Copies the messages up to `throughSeq` into a new session. Their tools have ended. */
  fork(
    params: {
      readonly from: SessionKey;
      readonly throughSeq: number;
      readonly session: NewSession;
      readonly idempotencyKey: string | null;
      readonly unfinished: string;
    },
  ): Promise<{ readonly session: Session; readonly duplicate: boolean }>;
  /** By a text in titles and messages, last active first. */
  search(
    params: { readonly orgId: string; readonly text: string; readonly limit: number; readonly perSession: number },
  ): Promise<readonly SearchHit[]>;
}

/** Something that has happened in a session, told as it happens. What is committed can be read again from the store. */
export type SessionEvent =
  | { readonly type: "turn-start"; readonly turnId: string; readonly runId: string }
  /** A message is in the store: a user's, or the hub's. */
  | { readonly type: "message"; readonly message: Message }
  | {
    readonly type: "step-start";
    readonly turnId: string;
    readonly messageId: string;
    readonly step: number;
    /** Of the attempt: a step that is tried again begins anew. */
    readonly requestId: string;
  }
  | { readonly type: "text-delta"; readonly turnId: string; readonly messageId: string; readonly text: string }
  | { readonly type: "reasoning-delta"; readonly turnId: string; readonly messageId: string; readonly text: string }
  | {
    readonly type: "tool-input-delta";
    readonly turnId: string;
    readonly messageId: string;
    readonly toolCallId: string;
    readonly toolName: string;
    readonly text: string;
  }
  /** A step is in the store: all of what the model said, its calls of tools about to begin. */
  | { readonly type: "step-end"; readonly turnId: string; readonly message: Message }
  /** The state of a call of a tool is in the store. */
  | { readonly type: "tool"; readonly turnId: string; readonly messageId: string; readonly part: ToolPart }
  | { readonly type: "turn-end"; readonly turn: SessionTurn };

/** Tells watchers of what happens in sessions. Publishing must not throw, and waits for nobody. */
export interface SessionFeed {
  publish(session: SessionKey, event: SessionEvent): void;
  /** Returns how to leave. */
  watch(session: SessionKey, listener: (event: SessionEvent) => void): () => void;
}

/** A role, as sessions need it. */
export interface SessionRole {
  readonly name: string;
  readonly version: number;
  readonly systemPrompt: string;
  readonly model: string | null;
  readonly temperature: number | null;
  readonly tools: SessionTools;
  readonly scopes: readonly string[];
  readonly limits: SessionLimits;
}

export interface SessionRoles {
  /** `name` or `name@version`. @throws CallError ROLE_NOT_FOUND */
  resolve(params: { readonly orgId: string; readonly ref: string }): Promise<SessionRole>;
}

/** What an owner may do now. `reason` ends a sentence: "its owner's key was revoked". */
export type OwnerStanding =
  | { readonly ok: true; readonly caller: Caller }
  | { readonly ok: false; readonly reason: string };

export interface SessionOwners {
  standing(params: { readonly owner: SessionOwner; readonly orgId: string }): Promise<OwnerStanding>;
}

/** One answer of a model, as it comes. */
export interface ModelAnswer {
  /** Run of the call. */
  readonly runId: string;
  /** Server-sent events of OpenAI's chat completions. */
  readonly body: ReadableStream<Uint8Array>;
  /** What it has used, once the answer is over. */
  settled(): Promise<{ readonly inputTokens: number; readonly outputTokens: number; readonly costMicros: number }>;
}

/** Calls of models, through the proxy. */
export interface ModelCalls {
  /** @throws CallError as the proxy does */
  stream(
    params: {
      readonly caller: Caller;
      readonly sessionId: string;
      /** The call of the run in which the model is asked; null: none. */
      readonly parent: RunPlace | null;
      /** Of OpenAI's chat completions. */
      readonly body: Readonly<Record<string, unknown>>;
      readonly signal: AbortSignal;
    },
  ): Promise<ModelAnswer>;
  /** Names of the models that an organization has. */
  models(orgId: string): Promise<readonly string[]>;
}

/** What can be called as tools. */
export interface ToolCatalog {
  /** Those that the caller may call. */
  operations(caller: Caller): readonly OperationSpec[];
  spec(caller: Caller, operationId: string): OperationSpec | undefined;
  workflows(orgId: string): Promise<readonly WorkflowVersion[]>;
  /** Carries a call of a run's node out as a call of something else: same request id, run and budgets. */
  call(
    params: {
      readonly context: OperationContext;
      readonly operationId: string;
      readonly input: Json;
      /** After this it fails with TIMEOUT. */
      readonly timeoutMs: number;
      /** The spoke that is to do it, if it offers it; null: any. */
      readonly spoke: string | null;
    },
  ): Promise<ResponseEnvelope>;
}

/** A call that a handler carries out. */
export interface CallPlace {
  readonly caller: Caller;
  /** Null: it is part of no run. */
  readonly at: RunPlace | null;
  /** Key of the node; empty outside of a run. */
  readonly nodeKey: string;
  /** Of the run: those that start with `hub.` are the hub's word. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface CallPlaces {
  place(context: OperationContext): Promise<CallPlace>;
}

/** Starts and ends the runs of turns. */
export interface TurnRuns {
  start(
    params: {
      readonly caller: Caller;
      readonly turn: SessionTurn;
      readonly session: Session;
    },
  ): Promise<{ readonly runId: string }>;
  /** Null: there is no such run. `error`: null unless it failed. */
  state(
    params: { readonly orgId: string; readonly runId: string },
  ): Promise<{ readonly ended: "completed" | "failed" | "aborted" | null; readonly error: EventError | null } | null>;
  /** One that has ended is left as it is. */
  abort(params: { readonly caller: Caller; readonly runId: string; readonly reason: string }): Promise<void>;
}

/** Limits what the calls of models of a session may use, exactly. */
export interface SessionLedger {
  limit(
    params: SessionKey & { readonly tokens: number | null; readonly costMicros: number | null },
  ): Promise<void>;
}

export interface SessionLog {
  warn(message: string, properties?: Record<string, unknown>): void;
}

/** Text of parts that a search finds. */
export function searchText(parts: readonly Part[]): string {
  return parts.flatMap((part) => {
    if (part.type === "text" || part.type === "notice") return [part.text];
    return part.type === "compaction" ? [part.summary] : [];
  }).join("\n");
}
