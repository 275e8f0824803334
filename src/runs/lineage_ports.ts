/** What makes a run of another, and moves a live one to another version. */
import type { PlanDiff } from "@alkdev/flowgraph";
import type { Caller, RunStatus } from "../../engine/events.ts";

/** Where a result was made. `requestId` null: a timer or a signal, which is no call. */
export interface ReusedFrom {
  readonly runId: string;
  readonly requestId: string | null;
}

/** What a run is to be made of. */
interface FromRun {
  readonly caller: Caller;
  readonly runId: string;
  /**
   * Keys of nodes, Map items (`measure[3]`), Loop turns or containers: these run again, and all that comes after them. What
   * else had completed is reused.
   */
  readonly from?: readonly string[];
  /** In the place of the old input. Results that are reused stay as they are. */
  readonly input?: unknown;
  /** Default: the run's own. Nodes that differ in it run again, and all that comes after them. */
  readonly version?: string;
}

export interface RerunParams extends FromRun {
  /** What had completed is reused; what failed, was aborted or never ran runs, and all that comes after it. */
  readonly fromFailed?: boolean;
}

export interface ForkParams extends FromRun {
  /** Seq of the event as of which the run is looked at; absent: now. */
  readonly at?: number;
}

export interface MigrateParams {
  readonly caller: Caller;
  readonly runId: string;
  readonly version: string;
  readonly dryRun?: boolean;
}

/** Whether a run can be, or has been, moved to another version. */
export interface Migration {
  readonly runId: string;
  readonly from: string;
  readonly to: string;
  /** False after a dry run. */
  readonly migrated: boolean;
  readonly allowed: boolean;
  /** What speaks against it; empty when it is allowed. */
  readonly reasons: readonly MigrationReason[];
  /** From the run's plan to the one it would have. */
  readonly diff: PlanDiff;
}

export interface MigrationReason {
  /** Node key; null: it is not about a node. */
  readonly key: string | null;
  readonly reason: string;
}

export interface RerunStarted {
  readonly id: string;
  readonly status: RunStatus;
  readonly duplicate: boolean;
  /** Results taken over. */
  readonly reused: number;
}
