/** What the hub's HTTP API gives and takes. Times are ms since the epoch. A test holds these against the hub's own schemas. */

/** Any JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** `running` to `aborted`; later versions may know more. */
export type RunStatus = "queued" | "running" | "paused" | "completed" | "failed" | "aborted";

export interface Run {
  readonly id: string;
  readonly orgId: string;
  readonly workflow: string;
  /** Content hash of the template. */
  readonly version: string;
  /** Hash of what runs. */
  readonly planHash: string;
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
  /** Of the run and all that descends from it; null or absent: none. */
  readonly budget?: RunBudget | null;
  readonly lastSeq: number;
  /** The run that this one was made of by a rerun or fork. */
  readonly lineage: {
    readonly runId: string;
    readonly kind: "rerun" | "fork";
    readonly from: readonly string[] | null;
    readonly at?: number;
  } | null;
  /** What a handler said last of how far it is. */
  readonly lastProgress?: Progress & { readonly key: string };
}

/** How far a handler says it is. */
export interface Progress {
  readonly value: number | null;
  readonly total: number | null;
  readonly message: string | null;
  readonly at: number;
}

/** What is used of one limit. */
export interface LimitUse {
  readonly limit: number;
  readonly spent: number;
  /** By calls under way. */
  readonly reserved: number;
}

/** How much of a run's budget is used, by what it limits. */
export interface RunBudget {
  readonly calls?: LimitUse;
  readonly tokens?: LimitUse;
  readonly costMicros?: LimitUse;
  readonly wallMs?: LimitUse;
  readonly depth?: { readonly limit: number };
}

/** A result that was taken over from another run. */
export interface ReusedFrom {
  readonly runId: string;
  readonly requestId: string | null;
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
  /** When it goes on by itself: the next attempt, the end of a sleep. */
  readonly nextAt: number | null;
  readonly reusedFrom?: ReusedFrom;
  readonly input?: unknown;
  readonly output?: unknown;
  readonly error?: RunError;
  readonly progress?: Progress;
  /** Items of a Map, turns so far of a Loop. */
  readonly items?: number;
}

/** A place in the plan: containers too. */
export interface PlanPlace {
  readonly key: string;
  readonly kind: string;
  /** Index of the container around it; -1 for the root. */
  readonly parent: number;
  readonly branch?: "then" | "else";
  readonly operationId?: string;
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
    readonly condition?: string;
    readonly negated?: boolean;
  }[];
  /** All nodes of the plan, containers included, in pre-order. */
  readonly tree: readonly PlanPlace[];
}

export interface Call {
  readonly requestId: string;
  readonly runId: string;
  readonly nodeKey: string | null;
  readonly operationId: string;
  readonly parentRequestId: string | null;
  readonly status: string;
  readonly attempt: number;
  readonly input: unknown;
  readonly output: unknown;
  readonly error: RunError | null;
  /** Who made it. */
  readonly identityId: string;
  readonly startedAt: number;
  readonly completedAt: number | null;
  readonly durationMs: number | null;
  readonly reusedFrom?: ReusedFrom;
}

/** Why a node is not moving. */
export interface WhyEntry {
  readonly key: string;
  readonly status: string;
  readonly waitsFor: string;
  readonly message: string;
  readonly until: number | null;
  readonly since: number | null;
  /** What it waits for, by key. */
  readonly keys: readonly string[];
  readonly operationId: string | null;
  /** Labels that a spoke must have. */
  readonly labels: Readonly<Record<string, string>> | null;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

/** What a handler or spoke said while it worked on a node. */
export interface LogLine {
  /** Rises within the run. */
  readonly id: number;
  readonly runId: string;
  readonly at: number;
  /** Of the node. */
  readonly key: string;
  readonly attempt: number;
  readonly requestId: string;
  readonly level: LogLevel;
  readonly message: string;
  readonly data: unknown;
}

/** A question that a live run asks. */
export interface Approval {
  readonly runId: string;
  readonly workflow: string;
  readonly key: string;
  readonly name: string;
  readonly question: unknown;
  /** JSON Schema of the answer. */
  readonly schema: unknown;
  /** Who may answer; null: whoever may write runs. */
  readonly answerers: readonly string[] | null;
  /** Whether this key may. */
  readonly mayAnswer: boolean;
  readonly since: number;
  /** When it gives up waiting. */
  readonly due: number | null;
}

export interface Workflow {
  readonly name: string;
  readonly version: string;
  readonly title: string | null;
  readonly description: string | null;
  readonly inputSchema: unknown;
  readonly outputSchema: unknown;
  /** False: the template has functions and lives in a file of the hub. */
  readonly serializable: boolean;
}

/** A workflow with its plan and template; null where they depend on the input or have functions. */
export interface WorkflowView extends Workflow {
  readonly plan: {
    readonly nodes: readonly unknown[];
    readonly edges: readonly unknown[];
    readonly tree: readonly PlanPlace[];
    readonly output?: unknown;
    readonly failurePolicy: string;
  } | null;
  readonly template: unknown;
  /** When its runs may start. */
  readonly flow: unknown;
  /** How it is served over MCP: `tool`, `task` or `prompt`. */
  readonly expose: string | null;
}

export interface Operation {
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly version: string;
  /** All that are on offer, the highest first; each may be named: `id@version`. Not in lists. */
  readonly versions?: readonly string[];
  readonly title?: string;
  readonly tags?: readonly string[];
  readonly type: "query" | "mutation" | "subscription";
  readonly description: string;
  readonly inputSchema: unknown;
  readonly outputSchema: unknown;
  readonly errorSchemas?: readonly unknown[];
  readonly accessControl: unknown;
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
  /** Not before: ms since the epoch, or an ISO instant. */
  readonly startAfter?: number | string;
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
  /** Id of a run: those made of it by a rerun or fork. */
  readonly lineage?: string;
  readonly since?: number;
  readonly until?: number;
  readonly q?: string;
}
