import type { PlanNodeView } from "./format/graph_tree.ts";
/** A run as the HTTP API gives it. Times are ms since the epoch. */
export interface RunBody {
  readonly id: string;
  readonly workflow: string;
  readonly version: string;
  readonly status: string;
  readonly createdAt: number;
  readonly completedAt: number | null;
  readonly input: unknown;
  readonly output: unknown;
  readonly error: { readonly code: string; readonly message: string; readonly nodeKey?: string | null } | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly parentRunId: string | null;
  readonly progress: Readonly<Record<string, number>>;
  /** What a node has said of its progress, the last to say so. */
  readonly lastProgress?: {
    readonly key: string;
    readonly value: number | null;
    readonly total: number | null;
    readonly message: string | null;
  };
  /** The run's own budget, by what it limits. */
  readonly budget?:
    | Readonly<Record<string, { readonly limit: number; readonly spent?: number; readonly reserved?: number }>>
    | null;
  /** The run it was made of; null: none. */
  readonly lineage?: { readonly runId: string; readonly kind: string; readonly from: readonly string[] | null } | null;
}

/** A page of a list. */
export interface PageBody<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** A workflow as the HTTP API gives it. */
export interface WorkflowBody {
  readonly name: string;
  readonly version: string;
  readonly title: string | null;
  readonly description: string | null;
  readonly inputSchema: unknown;
  readonly outputSchema: unknown;
  readonly serializable: boolean;
  /** Null where it depends on the input. */
  readonly plan?: { readonly tree: readonly PlanNodeView[] } | null;
  /** The element tree; null when it has functions. */
  readonly template?: object | null;
  /** After a deployment: live runs of other versions. */
  readonly impact?: { readonly live: readonly { readonly version: string; readonly runs: number }[] };
}

/** Whether a run has ended. */
export function hasEnded(status: string): boolean {
  return status === "completed" || status === "failed" || status === "aborted";
}
