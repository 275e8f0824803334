/** What the run use cases need, and what they give to the edges. */
import type { BudgetLimits, FlowControl, Json, Plan, PlanFunction, WorkflowExposure } from "@alkdev/flowgraph";
import type { OperationSpec } from "@alkdev/operations";
import type { RunBudgetView } from "./run_budget_view.ts";
import type { Caller, EventError, Lineage, NodeCounts, ParentCall, RunEvent, RunStatus } from "../../engine/events.ts";
import type { ForkParams, MigrateParams, Migration, RerunParams, RerunStarted, ReusedFrom } from "./lineage_ports.ts";
import type { KnownVersion, LiveVersion } from "./version_ports.ts";
import type { NodeCommand } from "../../engine/mod.ts";
import type { NodeProgress } from "./node_progress.ts";
import type { WhyEntry } from "./why_entry.ts";

/** One row of the run list. Times are ms since the epoch. */
export interface RunRecord {
  readonly id: string;
  readonly orgId: string;
  readonly workflow: string;
  readonly version: string;
  readonly planHash: string;
  readonly status: RunStatus;
  readonly priority: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Null: no parent. */
  readonly parentRunId: string | null;
  /** Itself for a run without a parent. */
  readonly rootRunId: string;
  readonly createdAt: number;
  /** Null until terminal. */
  readonly completedAt: number | null;
  /** Null unless failed. */
  readonly errorCode: string | null;
}

/** Filters of the run list; all given ones must hold. Newest first. */
export interface RunQuery {
  readonly orgId: string;
  readonly workflow?: string;
  readonly status?: readonly RunStatus[];
  /** `key=value`, or `key` for any value. */
  readonly label?: readonly string[];
  readonly parent?: string;
  /** Id of a run: those that were made of it by a rerun or fork. */
  readonly lineage?: string;
  /** Ms epoch, on createdAt: `since` inclusive, `until` exclusive. */
  readonly since?: number;
  readonly until?: number;
  /** Substring of id, workflow or a label's value. */
  readonly q?: string;
  readonly limit: number;
  readonly cursor?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Null on the last page. */
  readonly nextCursor: string | null;
}

/** Reads of the projections. Every method is bound to one organization. */
export interface RunStore {
  get(params: { readonly orgId: string; readonly runId: string }): Promise<RunRecord | null>;
  list(query: RunQuery): Promise<Page<RunRecord>>;
  /** The run in which a call was made; the request id of a run itself is the run's id. */
  findCall(params: { readonly orgId: string; readonly requestId: string }): Promise<{ readonly runId: string } | null>;
  children(params: { readonly orgId: string; readonly runId: string }): Promise<readonly RunRecord[]>;
  /** Runs of a workflow that have not ended, by version. `orgId` null: of all organizations, for the hub's own log. */
  liveVersions(params: { readonly orgId: string | null; readonly workflow: string }): Promise<readonly LiveVersion[]>;
}

/** A version of a workflow, resolved and ready to compile. */
export interface WorkflowVersion {
  readonly name: string;
  /** Content hash. */
  readonly version: string;
  readonly title: string | null;
  readonly description: string | null;
  /** JSON Schema; null: any input. */
  readonly inputSchema: Json | null;
  readonly outputSchema: Json | null;
  /** How it is served over MCP; absent: only by its name. */
  readonly expose?: WorkflowExposure;
  /** When its runs may start; absent: at once. */
  readonly flow?: FlowControl;
  /** False when the template has functions: it then lives in a file only. */
  readonly serializable: boolean;
  /** The element tree; null when not serialisable. */
  readonly template: Json | null;
  /** Checks and fills defaults. @throws CallError VALIDATION_ERROR with `details.errors: {path, message}[]` */
  decodeInput(input: unknown): Json;
  /** Cached where the plan does not depend on the input. @throws CallError VALIDATION_ERROR */
  plan(input: Json): PreparedPlan;
}

export interface PreparedPlan {
  readonly hash: string;
  readonly plan: Plan;
  readonly functions: ReadonlyMap<string, PlanFunction>;
}

/** A problem of a template: where, what, and what to do. */
export interface TemplateProblem {
  readonly code: string;
  /** JSON path in the template, or file:line:column. */
  readonly path: string;
  readonly node?: string;
  readonly edge?: string;
  readonly message: string;
  readonly suggestion?: string;
}

/** The workflows an organization can run: those of files, shared by all, and its own registered as JSON. */
export interface WorkflowCatalog {
  get(
    params: { readonly orgId: string; readonly name: string; readonly version?: string },
  ): Promise<WorkflowVersion | null>;
  list(params: { readonly orgId: string }): Promise<readonly WorkflowVersion[]>;
  /** The versions of a workflow that can be run, the one served by its name first; the others newest first. Unknown: empty. */
  versions(params: { readonly orgId: string; readonly name: string }): Promise<readonly KnownVersion[]>;
  /** Names near to `name`, nearest first: for "did you mean". */
  similar(params: { readonly orgId: string; readonly name: string }): Promise<readonly string[]>;
  /** Registers a JSON template; the same content is the same version. Problems: nothing was stored. */
  register(params: {
    readonly orgId: string;
    readonly name: string;
    readonly template: Json;
    /** Reference of the run's output, as `{"$ref": …}`: the same as the prop `output` of the template's root. */
    readonly output?: Json;
    readonly inputSchema?: Json;
    readonly outputSchema?: Json;
    readonly title?: string;
    readonly description?: string;
    readonly flow?: Json;
    /** How it is served over MCP; absent: by its name only. */
    readonly expose?: WorkflowExposure;
  }): Promise<{ readonly version: WorkflowVersion } | { readonly problems: readonly TemplateProblem[] }>;
  validate(
    params: {
      readonly orgId: string;
      readonly name: string;
      readonly template?: Json;
      /** Beside a template: as with `register`. */
      readonly output?: Json;
    },
  ): Promise<readonly TemplateProblem[]>;
}

/** Where operations are looked up by id: local ones, seen by all, and those of the organization's connected spokes. */
export interface OperationCatalog {
  /** By an id that may name a version; `labels`: of spokes that carry these. */
  spec(
    orgId: string,
    reference: string,
    labels?: Readonly<Record<string, string>> | null,
  ): OperationSpec | undefined;
  list(orgId: string): readonly OperationSpec[];
}

export interface StartRun {
  readonly workflow: string;
  readonly version?: string;
  readonly input: unknown;
  readonly caller: Caller;
  readonly idempotencyKey?: string;
  readonly priority?: number;
  /** Ms epoch before which it does not start. */
  readonly startAfter?: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** W3C trace context that the run joins; one that is not valid is as good as none. */
  readonly traceparent?: string;
  /** What the run and all that descends from it may use; of this and the workflow's own the smaller limit of each kind holds. */
  readonly budget?: BudgetLimits;
  /** See the engine's `NewRun`. Never what comes over an edge. */
  readonly durability?: "before" | "after";
  /** Labels `hub.…`, which are the hub's own: never what comes over an edge. */
  readonly ownLabels?: Readonly<Record<string, string>>;
  /**
   * The call of a run below which it starts, and goes on when that call has returned: in its graph, within its budgets and depth,
   * and aborted with it. Never what comes over an edge.
   */
  readonly parent?: ParentCall;
  /** Its calls are not charged to the budgets above it: whoever starts it has set aside what it may use. */
  readonly isPaidApart?: true;
}

/** A run with what its log adds to the list's row. */
export interface RunView extends RunRecord {
  readonly input: Json;
  /** Null until completed. */
  readonly output: Json | null;
  readonly error: (EventError & { readonly nodeKey?: string | null }) | null;
  readonly progress: NodeCounts & { readonly running: number; readonly waiting: number };
  /** Null or absent: the run has no budget of its own. */
  readonly budget?: RunBudgetView | null;
  /** Seq of the last event the view was made from. */
  readonly lastSeq: number;
  /** The run it was made of by a rerun or fork; null: none. */
  readonly lineage: Lineage | null;
  /** What a node of a live run has said of its progress, the last to say so; absent: none has, or the run has ended. */
  readonly lastProgress?: NodeProgress & { readonly key: string };
}

/** One node of a run's graph. Times are ms since the epoch. */
export interface GraphNode {
  readonly key: string;
  readonly kind: string;
  readonly operationId: string | null;
  readonly title: string | null;
  /** Key of the container it stands in; null at the root. */
  readonly parent: string | null;
  readonly status: NodeStatus;
  readonly attempts: number;
  /** Of a Map that has begun: its items, also those that a limit keeps waiting; of a Loop: its turns so far. */
  readonly items?: number;
  readonly requestId: string | null;
  readonly startedAt: number | null;
  readonly completedAt: number | null;
  /** When the next attempt or timer is due. */
  readonly nextAt: number | null;
  /** The run and call that gave its result, which this run took over; absent: it is this run's own. */
  readonly reusedFrom?: ReusedFrom;
  readonly input?: Json;
  readonly output?: Json;
  readonly error?: EventError;
  /** Absent: it has said nothing in its present attempt. */
  readonly progress?: NodeProgress;
}

export type NodeStatus =
  | "idle"
  | "waiting"
  | "ready"
  | "running"
  | "completed"
  | "failed"
  | "aborted"
  | "skipped";

export interface GraphEdge {
  readonly source: string;
  readonly target: string;
  readonly edgeType: "sequential" | "conditional";
  readonly dataFlow: boolean;
  readonly condition?: string;
  readonly negated?: boolean;
}

/** One node of a plan, containers included: in pre-order, `parent` an index, -1 for the root. */
export interface PlanPlace {
  readonly key: string;
  readonly kind: string;
  readonly parent: number;
  /** Which branch of its Conditional it is. */
  readonly branch?: "then" | "else";
  readonly operationId?: string;
}

export interface RunGraph {
  readonly runId: string;
  readonly workflow: string;
  readonly status: RunStatus;
  readonly seq: number;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  /** The containers around them, as the template has them. */
  readonly tree: readonly PlanPlace[];
}

/** One call of the call graph. */
export interface CallView {
  readonly requestId: string;
  readonly runId: string;
  /** Null for the run itself. */
  readonly nodeKey: string | null;
  readonly operationId: string;
  readonly parentRequestId: string | null;
  readonly status: "pending" | "running" | "completed" | "failed" | "aborted";
  readonly attempt: number;
  readonly input: Json;
  readonly output: Json | null;
  readonly error: EventError | null;
  readonly identityId: string;
  readonly startedAt: number;
  readonly completedAt: number | null;
  readonly durationMs: number | null;
  /** This run did not make the call, but took over its result: `requestId` is the call's in the run that made it. */
  readonly reusedFrom?: ReusedFrom;
}

/** What can be done to a live run, by its owner only. */
export type RunCommand =
  | { readonly type: "abort"; readonly reason: string }
  | { readonly type: "pause" }
  | { readonly type: "resume" }
  /** The plan is stored. */
  | { readonly type: "migrate"; readonly version: string; readonly planHash: string }
  | { readonly type: "node"; readonly key: string; readonly act: NodeCommand }
  /** `scopes`: of whoever answers. */
  | { readonly type: "signal"; readonly name: string; readonly payload: Json; readonly scopes: readonly string[] };

/** The way to runs that other hubs drive. */
export interface RunOwners {
  /**
   * Has the run's owner carry out a command; resolves when it is durable. The caller may see the run.
   *
   * @throws CallError as the owner would, or `RUN_NOT_HERE` when it cannot be reached
   */
  command(params: { readonly runId: string; readonly by: string; readonly command: RunCommand }): Promise<void>;
}

/** A hub that drives a run. */
export interface RunDriver {
  readonly hubId: string;
  /** Where it answers, as it knows itself; null: it has not said. */
  readonly url: string | null;
}

/**
 * The only door from the edges to the engine. Every method takes the caller and shows it its own organization's runs only;
 * what it may not see does not exist (`CallError` code `RUN_NOT_FOUND`, 404).
 */
export interface Runs {
  /**
   * Durable before it resolves.
   *
   * @throws CallError WORKFLOW_NOT_FOUND, VALIDATION_ERROR, PAYLOAD_TOO_LARGE, OVERLOADED; with `parent` also RUN_NOT_FOUND,
   *   ABORTED, DEPTH_EXCEEDED, BUDGET_EXCEEDED
   */
  start(request: StartRun): Promise<{ readonly id: string; readonly status: RunStatus; readonly duplicate: boolean }>;
  /** Resolves at the terminal event, or after `ms` with the run as it is then. */
  wait(params: { readonly caller: Caller; readonly runId: string; readonly ms: number }): Promise<RunView>;
  /** `at`: as it was after the event with this seq. */
  get(params: { readonly caller: Caller; readonly runId: string; readonly at?: number }): Promise<RunView>;
  list(params: Omit<RunQuery, "orgId"> & { readonly caller: Caller }): Promise<Page<RunRecord>>;
  graph(
    params: { readonly caller: Caller; readonly runId: string; readonly at?: number; readonly data?: boolean },
  ): Promise<RunGraph>;
  events(
    params: { readonly caller: Caller; readonly runId: string; readonly after?: number; readonly limit?: number },
  ): Promise<readonly RunEvent[]>;
  /** Whether anything may still follow seq `after`; false: the run has ended, and its log with it. */
  mayFollow(params: { readonly caller: Caller; readonly runId: string; readonly after: number }): Promise<boolean>;
  /** Every event with `seq > after`, live, ending after the terminal one. No gap, no repeat. */
  watch(
    params: { readonly caller: Caller; readonly runId: string; readonly after?: number; readonly signal: AbortSignal },
  ): AsyncIterable<RunEvent>;
  calls(params: { readonly caller: Caller; readonly runId: string }): Promise<readonly CallView[]>;
  call(params: { readonly caller: Caller; readonly requestId: string }): Promise<CallView>;
  /** The call with all its descendants, across child runs. */
  callTree(params: { readonly caller: Caller; readonly requestId: string }): Promise<CallTree>;
  why(params: { readonly caller: Caller; readonly runId: string }): Promise<readonly WhyEntry[]>;
  /** Resolves when the abort is durable. Already terminal: CallError RUN_ENDED (409). */
  abort(params: { readonly caller: Caller; readonly runId: string; readonly reason?: string }): Promise<RunView>;
  pause(params: { readonly caller: Caller; readonly runId: string }): Promise<RunView>;
  resume(params: { readonly caller: Caller; readonly runId: string }): Promise<RunView>;
  /**
   * A new run of the same workflow and input (or the given ones). Label `rerunOf` names the old one, which stays as it is.
   * Without `from` and `fromFailed` everything runs anew.
   *
   * @throws CallError VALIDATION_ERROR when `from` names what is not there
   */
  rerun(params: RerunParams): Promise<RerunStarted>;
  /** A new run that goes on from where another is, or was at event `at`. Label `forkOf` names the other. */
  fork(params: ForkParams): Promise<RerunStarted>;
  /**
   * Moves a live run to another version of its workflow; resolves when durable. `dryRun`: only says whether it could be.
   *
   * @throws CallError MIGRATION_REFUSED (409) with `details.reasons`, RUN_ENDED, WORKFLOW_NOT_FOUND
   */
  migrate(params: MigrateParams): Promise<Migration>;
  /**
   * Acts on a node with all that is in it: a leaf, a container, an item of a Map (`files[3]`). Resolves when it is durable.
   *
   * @throws CallError NODE_NOT_FOUND (404), NODE_ENDED, NODE_NOT_WAITING for `nudge` and `give-up` (409), RUN_ENDED (409)
   */
  actOnNode(
    params: { readonly caller: Caller; readonly runId: string; readonly key: string; readonly act: NodeCommand },
  ): Promise<RunView>;
  /**
   * Answers a Signal by its name or its node's key. One that the run does not wait for yet is kept until it does.
   *
   * @throws CallError SIGNAL_NOT_FOUND (404: the run's plan has none), SIGNAL_ANSWERED (409: nobody is left to use it),
   *   SIGNALS_FULL (429: too many are kept), ACCESS_DENIED (403), VALIDATION_ERROR (400: not what the Signal's schema says)
   */
  signal(
    params: { readonly caller: Caller; readonly runId: string; readonly name: string; readonly payload: Json },
  ): Promise<void>;
}

export interface CallTree extends CallView {
  readonly children: readonly CallTree[];
}
