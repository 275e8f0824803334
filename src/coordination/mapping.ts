/** A spawned session, what was asked of it, and the moves that its status may make. */
import type { BudgetLimits } from "@alkdev/flowgraph";
import type { Caller } from "../runs/mod.ts";

export type MappingStatus = "active" | "completed" | "aborted" | "failed";

/**
 * `wanted`: to be made; `present`: made; `removed`; `kept`: left for people, as it has changes, or as it is not to be removed;
 * `none`: the session has no worktree.
 */
export type WorktreeState = "none" | "wanted" | "present" | "removed" | "kept";

/** What becomes of the worktree of an aborted session: `clean`, removed unless it has changes. The branch always stays. */
export type RemovalPolicy = "clean" | "force" | "never";

/** Where a spawned session works. Paths are those of the spoke: relative to its root. */
export interface MappedWorkspace {
  readonly spoke: string;
  /** Null: the spoke's first root. */
  readonly repository: string | null;
  readonly directory: string;
  readonly branch: string;
  /** Revision that the branch begins at. */
  readonly from: string;
  readonly remove: RemovalPolicy;
}

/** The run and call that asked for it; the session's turns are runs below that one. */
export interface MappedParent {
  readonly runId: string;
  readonly requestId: string;
  readonly rootRunId: string;
}

/** A spawned session. Times are ms since the epoch. */
export interface Mapping {
  readonly id: string;
  readonly orgId: string;
  /** Unique in its organization: the same for a spawn that is asked for again. */
  readonly key: string;
  /** All that one lead has set going, directly or through those it spawned. */
  readonly treeId: string;
  /** 1: a child of the lead. */
  readonly depth: number;
  /** Null: a person or a plain run has spawned it. */
  readonly parentSessionId: string | null;
  /** Null: it was spawned outside of any run. */
  readonly parent: MappedParent | null;
  /** Null until the session is made. */
  readonly sessionId: string | null;
  readonly taskId: string | null;
  /** Name of the task, for people. */
  readonly task: string;
  readonly role: string | null;
  readonly model: string | null;
  readonly prompt: string;
  readonly budget: BudgetLimits | null;
  /** Null: it has no place of its own. */
  readonly workspace: MappedWorkspace | null;
  readonly worktree: WorktreeState;
  readonly status: MappingStatus;
  /** How often it has been set to work: a message to one that has ended begins the next round. */
  readonly round: number;
  /** What it said last when it ended; null until then, or when it said nothing. */
  readonly result: string | null;
  /** Null unless failed or aborted. */
  readonly error: { readonly code: string; readonly message: string } | null;
  /** On whose behalf. */
  readonly caller: Caller;
  /** When something is next to be done about it; null: nothing is. */
  readonly dueAt: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Null while active. */
  readonly completedAt: number | null;
}

const MOVES: Readonly<Record<MappingStatus, readonly MappingStatus[]>> = {
  active: ["completed", "failed", "aborted"],
  // Another round: a message was sent to one that has ended.
  completed: ["active"],
  failed: ["active"],
  aborted: [],
};

/** Whether a mapping may go from one status to another. */
export function mayMove(from: MappingStatus, to: MappingStatus): boolean {
  return MOVES[from].includes(to);
}

/** The statuses that may become `to`. */
export function movesTo(to: MappingStatus): readonly MappingStatus[] {
  return (["active", "completed", "failed", "aborted"] as const).filter((from) => mayMove(from, to));
}

export function isEnded({ status }: Pick<Mapping, "status">): boolean {
  return status !== "active";
}
