/** Versions of a workflow: which there are, how they differ, and whom a new one concerns. */
import type { PlanDiff } from "@alkdev/flowgraph";
import type { Caller } from "../../engine/events.ts";
import type { WorkflowVersion } from "./ports.ts";

/** How many runs of a version have not ended. */
export interface LiveVersion {
  readonly version: string;
  readonly runs: number;
}

/** A version of a workflow that can be run. */
export interface KnownVersion {
  readonly version: string;
  /** Whether it is the one served by the workflow's name. */
  readonly current: boolean;
  /** When it was last deployed, ms since the epoch; null: from a file with functions, which lives as long as this process. */
  readonly deployedAt: number | null;
}

/** A version as it is listed. */
export interface VersionView extends Omit<KnownVersion, "current"> {
  readonly current: boolean;
  /** False: only runs still have it; none can be started or moved to it. */
  readonly available: boolean;
  /** Runs on it that have not ended. */
  readonly liveRuns: number;
}

export interface VersionDiff {
  readonly workflow: string;
  readonly from: string;
  readonly to: string;
  readonly inputSchemaChanged: boolean;
  readonly outputSchemaChanged: boolean;
  /** Null: the plan of one of them depends on the input. */
  readonly diff: PlanDiff | null;
}

/** What a version that has just been deployed means for what is under way. */
export interface DeployImpact {
  /** Served until now; null: the workflow is new, or it was this very version. */
  readonly previous: string | null;
  /** Live runs of other versions: they stay on theirs. `diff` is from theirs to the new one; null: it cannot be told. */
  readonly live: readonly { readonly version: string; readonly runs: number; readonly diff: PlanDiff | null }[];
}

export interface Versions {
  /** The one served first. @throws CallError WORKFLOW_NOT_FOUND */
  list(params: { readonly caller: Caller; readonly name: string }): Promise<readonly VersionView[]>;
  /** `to` absent: the one served. @throws CallError WORKFLOW_NOT_FOUND */
  diff(
    params: { readonly caller: Caller; readonly name: string; readonly from: string; readonly to?: string },
  ): Promise<VersionDiff>;
  /** `orgId` null: over all organizations. */
  impact(
    params: {
      readonly orgId: string | null;
      readonly deployed: WorkflowVersion;
      readonly previous: WorkflowVersion | null;
    },
  ): Promise<DeployImpact>;
}
