/** An anomaly of a spawned session: told, and never acted upon. */
import type { Json } from "@alkdev/flowgraph";

export type AnomalyType =
  | "MODEL_DEGRADATION"
  | "HIGH_ERROR_COUNT"
  | "SESSION_STALL"
  | "CALL_LOOP"
  | "COST_OUTLIER"
  | "NO_PROGRESS";

export type Severity = "low" | "medium" | "high";

/** What a detector found. */
export interface Anomaly {
  readonly type: AnomalyType;
  readonly severity: Severity;
  /** The same as long as it is the same thing that is found; it is recorded once. */
  readonly occurrence: string;
  /** What could be done, for whoever reads it. */
  readonly suggestion: string;
  readonly details: { readonly [key: string]: Json };
}

/** An anomaly as it was recorded. `createdAt` is ms since the epoch. */
export interface Detection extends Anomaly {
  readonly id: string;
  readonly orgId: string;
  readonly mappingId: string | null;
  readonly sessionId: string;
  readonly createdAt: number;
}
