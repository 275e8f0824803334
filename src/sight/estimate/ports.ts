import type { Json, Plan } from "@alkdev/flowgraph";

/** Values below which a tenth, a half and nine tenths lie. */
export interface Range {
  readonly p10: number;
  readonly p50: number;
  readonly p90: number;
}

/** What is known of one operation (`workflow.<name>` for a child run). */
export interface OperationHistory {
  readonly operationId: string;
  /** Attempts remembered. */
  readonly attempts: number;
  /** Share of them that failed; null: there are none. */
  readonly failureRate: number | null;
  readonly durationMs: Range | null;
  /** Millionths; null: it has never told what it costs. */
  readonly costMicros: Range | null;
}

/** Something that was never seen, so that what depends on it is not known. */
export interface Missing {
  readonly key: string;
  /** `operation`: no attempt; `branch`, `count`, `wait`: which way, how many, how long. */
  readonly what: "operation" | "branch" | "count" | "wait";
}

/** What a run of a plan is likely to take, from history. Null: there is no history for some part of it (`missing`). */
export interface Estimate {
  readonly durationMs: Range | null;
  /** Attempts of calls, those of child runs included. */
  readonly calls: Range | null;
  /** Null also when nothing in it has ever told a cost. */
  readonly costMicros: Range | null;
  readonly tokens: Range | null;
  /** Probability that the run fails, and how far it can be trusted. */
  readonly failureRisk: Range | null;
  /** The fewest attempts that any operation of the plan is known by. */
  readonly samples: number;
  /** Runs played in the mind. */
  readonly simulations: number;
  readonly missing: readonly Missing[];
  readonly operations: readonly OperationHistory[];
  /** Runs of this workflow so far, whatever their input and version; null: none. */
  readonly workflow: OperationHistory | null;
}

/** Estimates runs of one organization. */
export interface Estimator {
  estimate(params: { readonly orgId: string; readonly plan: Plan; readonly input: Json }): Promise<Estimate>;
}
