/** What the hub's HTTP API gives and takes. Times are ms since the epoch. A test holds these against the hub's own schemas. */

/** Any JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** `running` to `aborted`; later versions may know more. */
export type RunStatus = "queued" | "running" | "paused" | "completed" | "failed" | "aborted";

export interface Run {
  readonly id: string;
  readonly workflow: string;
  /** Content hash of the template. */
  readonly version: string;
  readonly status: RunStatus;
  readonly priority: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly parentRunId: string | null;
  /** Itself for a run without a parent. */
  readonly rootRunId: string;
  readonly createdAt: number;
  /** Null until it has ended. */
  readonly completedAt: number | null;
  readonly errorCode: string | null;
}

export interface RunError {
  readonly code: string;
  readonly message: string;
  readonly details?: unknown;
  readonly nodeKey?: string | null;
}

export interface RunView<Output = unknown> extends Run {
  readonly input: unknown;
  /** Null until completed. */
  readonly output: Output | null;
  readonly error: RunError | null;
  readonly progress: {
    readonly total: number;
    readonly completed: number;
    readonly failed: number;
    readonly aborted: number;
    readonly skipped: number;
    readonly running: number;
    readonly waiting: number;
  };
  readonly lastSeq: number;
}

/** An event of a run. What else it has depends on its type. */
export interface RunEvent {
  readonly runId: string;
  /** 1, 2, 3 … */
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface GraphNode {
  readonly key: string;
  readonly kind: string;
  readonly operationId: string | null;
  readonly title: string | null;
  readonly parent: string | null;
  readonly status: string;
  readonly attempts: number;
  readonly requestId: string | null;
  readonly startedAt: number | null;
  readonly completedAt: number | null;
  readonly nextAt: number | null;
  readonly input?: unknown;
  readonly output?: unknown;
  readonly error?: RunError;
}

export interface RunGraph {
  readonly runId: string;
  readonly workflow: string;
  readonly status: RunStatus;
  readonly seq: number;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly {
    readonly source: string;
    readonly target: string;
    readonly edgeType: "sequential" | "conditional";
    readonly dataFlow: boolean;
  }[];
}

export interface Call {
  readonly requestId: string;
  readonly runId: string;
  readonly nodeKey: string | null;
  readonly operationId: string;
  readonly status: string;
  readonly attempt: number;
  readonly input: unknown;
  readonly output: unknown;
  readonly error: RunError | null;
  readonly startedAt: number;
  readonly completedAt: number | null;
  readonly durationMs: number | null;
}

/** Why a node is not moving. */
export interface WhyEntry {
  readonly key: string;
  readonly status: string;
  readonly waitsFor: string;
  readonly message: string;
  readonly until: number | null;
}

export interface Workflow {
  readonly name: string;
  readonly version: string;
  readonly title: string | null;
  readonly description: string | null;
  readonly inputSchema: unknown;
  readonly outputSchema: unknown;
}

export interface Operation {
  readonly id: string;
  readonly type: "query" | "mutation" | "subscription";
  readonly description: string;
  readonly inputSchema: unknown;
  readonly outputSchema: unknown;
}

/** What an operation gives, and where it came from. */
export interface Envelope<Data = unknown> {
  readonly data: Data;
  readonly meta: Readonly<Record<string, unknown>>;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Null on the last page. */
  readonly nextCursor: string | null;
}

/** How a run is started. */
export interface StartOptions {
  /** Default: the newest. */
  readonly version?: string;
  /** Higher first; 0 is normal. */
  readonly priority?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly budget?: Readonly<Record<string, number>>;
  /** The same key is the same run. Default: a fresh one, so that a start may be sent again when its answer is lost. */
  readonly idempotencyKey?: string;
}

/** Filters of the run list; all given ones must hold. */
export interface RunFilter {
  readonly workflow?: string;
  readonly status?: readonly RunStatus[];
  /** `key=value`, or `key` for any value. */
  readonly label?: readonly string[];
  readonly parent?: string;
  readonly since?: number;
  readonly until?: number;
  readonly q?: string;
}
