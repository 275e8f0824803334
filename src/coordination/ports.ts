/** What coordination needs from the world. In memory: `memory_*.ts`; the suites are in tests/conformance. */
import type { BudgetLimits, Json } from "@alkdev/flowgraph";
import type { OperationContext } from "@alkdev/operations";
import type { Caller } from "../runs/mod.ts";
import type { Detection } from "./detection.ts";
import type { SessionTrace } from "./detect/session_trace.ts";
import type { MappedParent, MappedWorkspace, Mapping, MappingStatus } from "./mapping.ts";
import type { Notice, NoticeKind, NoticeLevel } from "./notice.ts";

/** `spawning` is what a session is before it is made; the others are the session's own. Null: there is no such session. */
export interface SessionState {
  readonly status: "idle" | "busy" | "waiting" | "stopped" | "failed";
  /** Of the turn under way; null: none is. */
  readonly runId: string | null;
  readonly role: string | null;
  /** Of whatever was last said in it; null: nothing was. */
  readonly lastMessage: { readonly role: "user" | "assistant" | "system"; readonly text: string } | null;
  /** Why its last turn failed or was stopped; null: it did not, or nobody knows. */
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly usage: {
    readonly inputTokens: number;
    readonly outputTokens: number;
    readonly costMicros: number;
    readonly steps: number;
    readonly turns: number;
    readonly toolCalls: number;
    readonly toolErrors: number;
    readonly malformedCalls: number;
  };
  /** Ms since the epoch. */
  readonly lastActivityAt: number;
}

/** The sessions themselves. All but `state` and `trace` are durable when they resolve, and done once for one `key`. */
export interface SessionsPort {
  /** Makes a session and begins its first turn, below `parent` where there is one. */
  create(params: {
    readonly caller: Caller;
    readonly key: string;
    readonly title: string;
    readonly role: string | null;
    readonly model: string | null;
    readonly prompt: string;
    readonly parent: MappedParent | null;
    readonly parentSessionId: string | null;
    readonly budget: BudgetLimits | null;
    readonly workspace: Pick<MappedWorkspace, "spoke" | "directory" | "branch"> | null;
    readonly labels: Readonly<Record<string, string>>;
  }): Promise<{ readonly sessionId: string }>;
  /** Says something in it: at the next step of a turn under way, else in a new turn. Whether `caller` may is not asked. */
  prompt(
    params: { readonly caller: Caller; readonly sessionId: string; readonly key: string; readonly text: string },
  ): Promise<void>;
  /** @throws {CallError} ACCESS_DENIED when the session may do what the caller may not: it would be lent */
  assertMayPrompt(params: { readonly caller: Caller; readonly sessionId: string }): Promise<void>;
  /** Ends its turn, with all calls, child runs and processes below it. No error when none is under way. */
  stop(params: { readonly caller: Caller; readonly sessionId: string; readonly reason: string }): Promise<void>;
  state(params: { readonly orgId: string; readonly sessionId: string }): Promise<SessionState | null>;
  /** What it has done lately, oldest first; null: there is no such session. */
  trace(params: { readonly orgId: string; readonly sessionId: string }): Promise<SessionTrace | null>;
}

/** How far a role's sessions may spawn. */
export interface SpawnRights {
  /** `name@version` of a role; null: without a role. */
  readonly role: string | null;
  /** Null: it may spawn nothing. Names of roles that it may give; `*` is any. */
  readonly spawn: { readonly roles: readonly string[]; readonly maxDepth: number; readonly maxBreadth: number } | null;
}

export interface RolesPort {
  /** @throws {CallError} ROLE_NOT_FOUND */
  rights(params: { readonly orgId: string; readonly role: string }): Promise<SpawnRights>;
}

/** Worktrees on spokes. Rejects with what the spoke said, or `UNAVAILABLE`, `SPOKE_LOST`, `OPERATION_NOT_FOUND`: it is away. */
export interface WorktreesPort {
  /** Names of connected spokes that make worktrees, in a fixed order. */
  spokes(params: { readonly orgId: string }): readonly string[];
  /** One that is there already, on this branch in this directory, is taken as it is. */
  create(
    params: { readonly caller: Caller; readonly workspace: MappedWorkspace; readonly signal?: AbortSignal },
  ): Promise<void>;
  /** `dirty`: it has changes and `force` is not given, so it is still there. `gone`: there was none. */
  remove(
    params: { readonly caller: Caller; readonly workspace: MappedWorkspace; readonly force: boolean },
  ): Promise<"removed" | "dirty" | "gone">;
}

/** From where an operation was called. */
export interface CallPlace {
  readonly caller: Caller;
  /** The run and call in it; null: outside of any run. */
  readonly parent: MappedParent | null;
  /** The same when the call is made again after a crash or by a retry; null: nobody can tell. */
  readonly key: string | null;
  /** The session whose turn the run is, or is below of; null: no session's. Never what a label alone says. */
  readonly sessionId: string | null;
}

/** The call graph, as far as coordination looks at it. */
export interface CallGraphPort {
  place(context: OperationContext): Promise<CallPlace>;
  /** Whether a run was aborted; one that is not there was not. */
  wasAborted(params: { readonly caller: Caller; readonly runId: string }): Promise<boolean>;
  /** The calls that a run has under way, the newest last. Empty: it has ended, or is between steps. */
  current(params: { readonly caller: Caller; readonly runId: string }): Promise<readonly CurrentCall[]>;
  /**
   * Asks people a question, in a run of its own below `parent`; gives the run once it is durable. The same `key` is the same
   * question.
   */
  ask(params: {
    readonly caller: Caller;
    readonly parent: MappedParent | null;
    readonly key: string;
    readonly question: Json;
  }): Promise<{ readonly runId: string }>;
  /** Waits for the answer. @throws {CallError} ABORTED when nobody will answer, or `signal` aborts: the question then ends too */
  answerOf(params: { readonly caller: Caller; readonly runId: string; readonly signal: AbortSignal }): Promise<Json>;
  /** Answers in the name of `caller`. False: nobody waits for the answer (any more). */
  answer(params: { readonly caller: Caller; readonly runId: string; readonly payload: Json }): Promise<boolean>;
}

export interface CurrentCall {
  readonly runId: string;
  readonly nodeKey: string;
  readonly operationId: string;
  /** Ms since the epoch. */
  readonly startedAt: number;
}

/** Filters of mappings; all given ones must hold. */
export interface MappingQuery {
  readonly orgId: string;
  readonly ids?: readonly string[];
  readonly sessionIds?: readonly string[];
  readonly taskIds?: readonly string[];
  readonly parentSessionId?: string;
  readonly parentRunId?: string;
  readonly treeId?: string;
  readonly status?: readonly MappingStatus[];
  readonly limit: number;
  /** Id of the last one of the page before. */
  readonly after?: string;
}

/** Most that may be below one lead. */
export interface TreeCaps {
  /** Active children of one parent. */
  readonly breadth: number;
  /** Sessions ever spawned in the tree. */
  readonly sessions: number;
}

/** What changes of a mapping; what is not named stays. */
export type MappingChange = Partial<
  Pick<Mapping, "sessionId" | "worktree" | "status" | "round" | "result" | "error" | "dueAt" | "completedAt">
>;

/** Mappings, notices and detections, by organization. Times are ms since the epoch. */
export interface CoordinationStore {
  /**
   * Adds the mappings whose key is not there, all of one parent and one tree: all of them, or none where that would be more than
   * `caps` allow. Gives each as it is stored, in order.
   */
  plan(
    params: { readonly mappings: readonly Mapping[]; readonly caps: TreeCaps },
  ): Promise<
    { readonly mappings: readonly Mapping[] } | { readonly refused: keyof TreeCaps; readonly present: number }
  >;
  get(params: { readonly orgId: string; readonly id: string }): Promise<Mapping | null>;
  /** Newest first. */
  list(query: MappingQuery): Promise<readonly Mapping[]>;
  /** Null: it is in none of the statuses `from`, or not there. */
  change(
    params: {
      readonly orgId: string;
      readonly id: string;
      readonly from: readonly MappingStatus[];
      readonly change: MappingChange;
      readonly now: number;
    },
  ): Promise<Mapping | null>;
  /** Takes at most `limit` whose time has come, of all organizations, and puts their time off by `forMs`. */
  takeDue(
    params: { readonly now: number; readonly forMs: number; readonly limit: number },
  ): Promise<readonly Mapping[]>;
  /** One that is there already, by its id, stays as it is; gives what is stored. */
  addNotice(notice: Notice): Promise<Notice>;
  notice(params: { readonly orgId: string; readonly id: string }): Promise<Notice | null>;
  /** Newest first. `open`: blocking ones without an answer. */
  notices(
    query: {
      readonly orgId: string;
      readonly mappingIds?: readonly string[];
      readonly level?: NoticeLevel;
      readonly kind?: NoticeKind;
      readonly open?: boolean;
      readonly limit: number;
      readonly after?: string;
    },
  ): Promise<readonly Notice[]>;
  changeNotice(
    params: {
      readonly orgId: string;
      readonly id: string;
      readonly change: Partial<Pick<Notice, "answer" | "answeredAt" | "deliveredAt" | "dueAt" | "runId">>;
      readonly now: number;
    },
  ): Promise<void>;
  takeDueNotices(
    params: { readonly now: number; readonly forMs: number; readonly limit: number },
  ): Promise<readonly Notice[]>;
  /** False: this occurrence is recorded already. */
  addDetection(detection: Detection): Promise<boolean>;
  /** Newest first. */
  detections(
    query: {
      readonly orgId: string;
      readonly sessionIds?: readonly string[];
      readonly type?: string;
      readonly limit: number;
      readonly after?: string;
    },
  ): Promise<readonly Detection[]>;
}

/** Writes down who did what. Must not throw. */
export interface CoordinationAudit {
  acted(
    params: {
      readonly caller: Caller;
      readonly action: string;
      readonly details: Readonly<Record<string, unknown>>;
    },
  ): Promise<void>;
}
