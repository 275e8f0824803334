/** What the operations `coord.*` take and give. The schemas in `schemas.ts` say the same. */
import type { BudgetLimits, Json } from "@alkdev/flowgraph";
import type { Anomaly, Detection } from "./detection.ts";
import type { MappingStatus, RemovalPolicy, WorktreeState } from "./mapping.ts";
import type { NoticeLevel } from "./notice.ts";
import type { CurrentCall, SessionState } from "./ports.ts";

/** One session to spawn. What is left out is as the request says for all. */
export interface SpawnTask {
  /** Name for people; the branch is named after it. */
  readonly task: string;
  readonly prompt?: string;
  readonly role?: string;
  readonly model?: string;
  readonly taskId?: string;
  /** Default: the prefix and the task's name. */
  readonly branch?: string;
  readonly spoke?: string;
  readonly from?: string;
  readonly budget?: BudgetLimits;
}

export interface SpawnWorkspace {
  /** Name of a dev spoke; absent: those there are, in turn. */
  readonly spoke?: string;
  /** Default: the spoke's first root. */
  readonly repository?: string;
  /** Revision that branches begin at. Default `HEAD`. */
  readonly from?: string;
  /** Directory of the worktrees. Default `.worktrees`. */
  readonly directory?: string;
  /** Of branches. Default `wt/`. */
  readonly prefix?: string;
  /** Default `clean`. */
  readonly remove?: RemovalPolicy;
}

export interface SpawnInput {
  readonly tasks: readonly SpawnTask[];
  /** For tasks without one; `{{task}}` stands for the task's name. Default `{{task}}`. */
  readonly prompt?: string;
  readonly role?: string;
  readonly model?: string;
  /** Absent: no worktrees. */
  readonly workspace?: SpawnWorkspace;
  /** Of each session with all below it. */
  readonly budget?: BudgetLimits;
  /** For callers outside of runs: the session that they spawn for. */
  readonly parentSessionId?: string;
  /** For callers outside of runs: the same for a request that is sent again. */
  readonly key?: string;
}

export interface Spawned {
  /** Of the mapping. */
  readonly id: string;
  readonly task: string;
  readonly taskId: string | null;
  readonly sessionId: string | null;
  readonly status: MappingStatus;
  readonly branch: string | null;
  readonly directory: string | null;
  readonly spoke: string | null;
  readonly depth: number;
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface SpawnOutput {
  readonly spawned: readonly Spawned[];
}

/** Which spawned sessions are meant; none named: the caller's own children, or for people all that are active. */
export interface Selection {
  /** Ids of mappings. */
  readonly ids?: readonly string[];
  readonly sessionIds?: readonly string[];
  readonly taskIds?: readonly string[];
  readonly parentSessionId?: string;
  readonly parentRunId?: string;
  readonly treeId?: string;
}

export interface StatusInput extends Selection {
  readonly status?: readonly MappingStatus[];
  readonly limit?: number;
  readonly after?: string;
}

export interface SessionReport extends Spawned {
  readonly treeId: string;
  readonly parentSessionId: string | null;
  readonly parentRunId: string | null;
  readonly role: string | null;
  /** `spawning` until there is a session, `gone` when there is none any more. */
  readonly state: SessionState["status"] | "spawning" | "gone";
  readonly runId: string | null;
  /** What it does at the moment, from the call graph. */
  readonly current: readonly CurrentCall[];
  readonly lastMessage: SessionState["lastMessage"];
  readonly usage: SessionState["usage"] | null;
  readonly lastActivityAt: number | null;
  readonly anomalies: readonly Pick<Detection, "type" | "severity" | "suggestion" | "createdAt">[];
  /** The question that it waits for an answer to; null: none. */
  readonly blockedBy: { readonly noticeId: string; readonly runId: string | null; readonly text: string } | null;
  readonly worktree: WorktreeState;
  readonly round: number;
  readonly result: string | null;
  readonly createdAt: number;
  readonly completedAt: number | null;
}

export interface StatusOutput {
  readonly sessions: readonly SessionReport[];
  /** Null on the last page. */
  readonly after: string | null;
}

export interface MessageInput {
  readonly id?: string;
  readonly sessionId?: string;
  readonly message: string;
  readonly key?: string;
}

export interface MessageOutput {
  readonly noticeId: string;
  readonly id: string;
  readonly sessionId: string | null;
  /** `answered`: it was the answer to a blocking notice; `queued`: the session is not made yet, or cannot be reached now. */
  readonly outcome: "delivered" | "answered" | "queued";
}

export interface NotifyInput {
  readonly message: string;
  readonly level?: NoticeLevel;
  /** For callers outside of runs: which spawned session they are. */
  readonly sessionId?: string;
  readonly key?: string;
}

export interface NotifyOutput {
  readonly noticeId: string;
  /** Of a blocking one: what was answered. Null otherwise. */
  readonly answer: Json;
}

export interface AbortInput extends Selection {
  readonly reason?: string;
  /** Default: as each was spawned. */
  readonly remove?: RemovalPolicy;
}

export interface AbortOutput {
  readonly aborted: readonly {
    readonly id: string;
    readonly sessionId: string | null;
    readonly task: string;
    readonly status: MappingStatus;
    readonly worktree: WorktreeState;
  }[];
}

export interface WaitInput extends Selection {
  /** How many must have ended. Default `all`. */
  readonly until?: "all" | "any" | number;
  /** Default 240,000. */
  readonly timeoutMs?: number;
}

export interface WaitOutput {
  /** False: the time was over first. */
  readonly done: boolean;
  readonly ended: number;
  /** When this was so, ms since the epoch: no two answers are the same, so that who waits again is not in a loop. */
  readonly at: number;
  readonly sessions: readonly (Spawned & { readonly result: string | null; readonly round: number })[];
}

export type DetectInput = Selection;

export interface DetectOutput {
  /** What is found now, recorded before or not. */
  readonly anomalies:
    readonly (Anomaly & { readonly id: string; readonly sessionId: string; readonly isNew: boolean })[];
}
