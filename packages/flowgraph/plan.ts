import type { Json } from "./json.ts";

/**
 * A plan is the frozen form of a template, as data: what the engine runs and the log refers to by hash.
 *
 * `nodes` is the element tree in pre-order. The subtree of node `i` is `nodes[i] .. nodes[end - 1]`, so an index is all a
 * reader needs and no walk recurses. Structural order (a Sequential's steps, a Conditional's branches, a Map's body) is read
 * off the tree; `after` adds what only data flow demands.
 */
export interface Plan {
  readonly planVersion: 1;
  /** The workflow's name. */
  readonly workflow: string;
  /** In pre-order; `nodes[0]` is the root. Never empty: an empty template is one empty `sequential`. */
  readonly nodes: readonly PlanNode[];
  /** The run's output; null: the last node's data. */
  readonly output: Reference | null;
  /** What a failed node does to running descendants. */
  readonly failurePolicy: FailurePolicy;
  /** What a run of this plan and all that descends from it may use; absent: no limit of its own. */
  readonly budget?: BudgetLimits;
}

export type FailurePolicy = "continue-running" | "abort-dependents";

/** What a run's whole subtree may use, whole numbers; an absent one is not limited. */
export interface BudgetLimits {
  /** Calls of nodes. */
  readonly calls?: number;
  readonly tokens?: number;
  /** Millionths of the currency that usage is told in. */
  readonly costMicros?: number;
  /** Time from the run's start. */
  readonly wallMs?: number;
  /** Levels of child runs below the run; 0: none. */
  readonly depth?: number;
}

/** `{"$ref": "nodes.a.value"}`, `{"$ref": "input.n"}` or `{"$ref": "<as>.path"}`. */
export interface Reference {
  readonly $ref: string;
}

/** Stands where a template has a function; the function itself is found in {@linkcode CompiledPlan.functions}. */
export interface FunctionMark {
  readonly $fn: string;
}

/** JSON in which any object with the single key `$ref` is a reference. */
export type Bindable = Json | FunctionMark;

export type PlanNode = OperationNode | ContainerNode | WaitNode | ChildRunNode;

interface NodeBase {
  /**
   * Unique within the plan: `[A-Za-z_][A-Za-z0-9_-]*`. At run time a node inside a Map item or a Loop turn is called
   * `key[3]`, inside two of them `key[3][0]`, outermost first.
   */
  readonly key: string;
  /** Index of the parent, -1 for the root. */
  readonly parent: number;
  /** One past the index of the last node of this subtree. */
  readonly end: number;
  /** Which branch of its Conditional this child is; absent elsewhere. */
  readonly branch?: "then" | "else";
  /**
   * Indices of nodes whose results this node reads and that structure alone does not put before it. Source and target have
   * the same innermost Map or Loop: the compiler lifts both ends to the level of their common ancestor.
   */
  readonly after?: readonly number[];
  /** Label for people. */
  readonly title?: string;
}

export interface OperationNode extends NodeBase {
  readonly kind: "operation";
  readonly operationId: string;
  readonly input: Bindable;
  readonly retry?: RetryPolicy;
  readonly timeoutMs?: number;
  readonly concurrencyKey?: Bindable;
  readonly priority?: number;
  /** Labels a spoke must have to be given this call. */
  readonly spoke?: Readonly<Record<string, string>>;
}

export type ContainerNode = SequentialNode | ParallelNode | ConditionalNode | MapNode | RaceNode | LoopNode;

export interface SequentialNode extends NodeBase {
  readonly kind: "sequential";
}

export interface ParallelNode extends NodeBase {
  readonly kind: "parallel";
  readonly maxConcurrency?: number;
}

/** Has a child with branch `then`, and one with branch `else` where the template gave one: at most these two. */
export interface ConditionalNode extends NodeBase {
  readonly kind: "conditional";
  /** `{when}` is CEL; `{completed}` is the key of a node that must have status completed; `{$fn}` a function. */
  readonly test: { readonly when: string } | { readonly completed: string } | FunctionMark;
}

/** Has exactly one child, its body, instantiated once per item. */
export interface MapNode extends NodeBase {
  readonly kind: "map";
  readonly over: Reference | readonly Json[] | FunctionMark;
  readonly as: string;
  readonly maxConcurrency?: number;
}

/** First child to complete wins; the others are aborted. */
export interface RaceNode extends NodeBase {
  readonly kind: "race";
}

/** Has exactly one child, its body, run again while `while` holds, at most `maxIterations` times. `as` names the turn's index. */
export interface LoopNode extends NodeBase {
  readonly kind: "loop";
  readonly while: string | FunctionMark;
  readonly maxIterations: number;
  readonly as?: string;
}

export type WaitNode = SleepNode | SignalNode;

/** A durable timer: `ms` from now, or until an instant (ISO string or ms epoch). */
export interface SleepNode extends NodeBase {
  readonly kind: "sleep";
  readonly ms?: Bindable;
  readonly until?: Bindable;
}

/** Waits for an outside event; with `question` it is an approval. */
export interface SignalNode extends NodeBase {
  readonly kind: "signal";
  readonly signal: string;
  readonly timeoutMs?: number;
  readonly schema?: Json;
  readonly question?: Bindable;
  /** Scopes, one of which the answering identity must hold. */
  readonly answerers?: readonly string[];
}

/** A child run of another workflow. */
export interface ChildRunNode extends NodeBase {
  readonly kind: "workflow";
  readonly workflow: string;
  readonly version?: string;
  readonly input: Bindable;
  readonly retry?: RetryPolicy;
  readonly timeoutMs?: number;
  /** What the child run and all that descends from it may use. */
  readonly budget?: BudgetLimits;
}

/**
 * Attempt `n + 1` starts `backoff(n)` after attempt `n` failed, or `details.retryAfterMs` of its error after, if that is later.
 */
export interface RetryPolicy extends RetryStep {
  /** Error codes to retry; absent: every code but ABORTED, ACCESS_DENIED, VALIDATION_ERROR and OPERATION_NOT_FOUND. */
  readonly on?: readonly string[];
  /** What holds instead for an attempt that failed with this code. Attempts are counted over all codes. */
  readonly perCode?: Readonly<Record<string, RetryStep>>;
}

export interface RetryStep {
  /** All attempts, the first included: 1 is no retry. */
  readonly maxAttempts: number;
  readonly backoff: Backoff;
  /** Share of the delay that is random, 0 to 1: the delay is between `d * (1 - jitter)` and `d`. */
  readonly jitter: number;
}

export interface Backoff {
  readonly kind: "fixed" | "exponential";
  readonly initialMs: number;
  /** Exponential only. */
  readonly factor: number;
  readonly maxMs: number;
}

/** What `compile` gives: the data, and the functions its marks stand for, by mark. */
export interface CompiledPlan {
  readonly plan: Plan;
  readonly functions: ReadonlyMap<string, PlanFunction>;
}

/** Results so far, as a template's function sees them. */
export type PlanResults = Readonly<Record<string, PlanResult>>;

export interface PlanResult {
  readonly status: string;
  readonly output: unknown;
  readonly error?: { readonly code: string; readonly message: string; readonly details?: unknown };
}

export type PlanFunction = (results: PlanResults) => unknown;
