/** What doing away with runs needs from the world. */
import type { RunRecord } from "../runs/mod.ts";

export type EndStatus = "completed" | "failed" | "aborted";

/** Which trees of runs: the root has ended before, and all below it have ended too. All that is given must hold of the root. */
export interface PruneFilter {
  readonly status?: readonly EndStatus[];
  /** Ms epoch, exclusive, on completedAt. */
  readonly endedBefore: number;
  readonly workflow?: string;
  /** `key=value`, or `key` for any value. */
  readonly label?: string;
}

export type PruneAction = "delete" | "archive";

/** A look through one or all organizations, oldest first. Opaque to all but the store. */
export interface PrunePosition {
  readonly orgId: string;
  /** Ms epoch; with `id` the last run that was examined. */
  readonly createdAt: number;
  readonly id: string;
}

export interface PrunePage {
  /** Roots that fit. */
  readonly roots: readonly RunRecord[];
  readonly examined: number;
  /** Null: there are no more. */
  readonly position: PrunePosition | null;
}

/** Something to be done in the background. Times are ms since the epoch. */
export interface PruneJob {
  readonly id: string;
  /** Null: of all organizations. */
  readonly orgId: string | null;
  readonly createdBy: string;
  readonly filter: PruneFilter;
  readonly action: PruneAction;
  readonly state: "waiting" | "running" | "done" | "failed";
  readonly position: PrunePosition | null;
  /** Roots done away with, and runs with those below them. */
  readonly trees: number;
  readonly runs: number;
  readonly examined: number;
  /** Names of the archive's files. */
  readonly files: readonly string[];
  readonly error: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Where the jobs are kept. */
export interface PruneJobs {
  add(job: Pick<PruneJob, "id" | "orgId" | "createdBy" | "filter" | "action">): Promise<PruneJob>;
  get(params: { readonly orgId: string; readonly id: string }): Promise<PruneJob | null>;
  /** The oldest that is not over. */
  next(): Promise<PruneJob | null>;
  save(job: PruneJob): Promise<void>;
  /** The newest of a policy; null: none is known. */
  last(params: { readonly createdBy: string }): Promise<PruneJob | null>;
  /** Forgets those that were over before. */
  clean(before: number): Promise<void>;
}

/** Deletes runs. Only what has ended is ever touched. */
export interface RunPruner {
  /** Of `orgId`, or of all organizations (null), after `position`; looks at `examine` runs at most. */
  page(
    params: {
      readonly orgId: string | null;
      readonly filter: PruneFilter;
      readonly position: PrunePosition | null;
      readonly examine: number;
    },
  ): Promise<PrunePage>;
  /**
   * Takes trees out of every list at once, with their idempotency keys; what they consist of goes with `sweep`. A tree that is
   * not over is left as it is. Gives how many runs it took.
   */
  remove(rootIds: readonly string[]): Promise<number>;
  /** Deletes about `limit` rows of runs that were removed. False: there are none left. */
  sweep(limit: number): Promise<boolean>;
  /** Deletes at once what is left of these removed runs. */
  forget(runIds: readonly string[]): Promise<void>;
  /** Deletes plans that no run has and that nobody has asked to be kept for a day. Gives how many. At most once a day. */
  sweepPlans(): Promise<number>;
  /** True: this hub is the one that works, for `ttlMs` from now. */
  hold(ttlMs: number): Promise<boolean>;
}

/** Keeps lines where no database failure reaches them. */
export interface Archive {
  /** A file that nobody has written to. */
  open(name: string): Promise<ArchiveFile>;
}

export interface ArchiveFile {
  readonly name: string;
  /** Durable when it resolves. */
  append(lines: readonly string[]): Promise<void>;
  close(): Promise<void>;
}
