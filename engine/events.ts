/**
 * The run event log as one discriminated union. A run's state is the fold of its events and only that (I6).
 * A caller builds an {@linkcode EventBody}; the engine adds `runId`, `seq` (1, 2, 3 … per run) and `at` (ms epoch).
 */
import type { Identity, ResponseEnvelope } from "@alkdev/operations";
import type { BudgetLimits, Json } from "@alkdev/flowgraph";

/** One appended fact of one run. */
export type RunEvent = EventHead & EventBody;
/** An event of one type. */
export type EventOf<T extends EventBody["type"]> = EventHead & Extract<EventBody, { type: T }>;

export interface EventHead {
  readonly runId: string;
  /** 1 is `run.created`; no gaps. */
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export type EventBody =
  | RunCreated
  | RunStarted
  | CallRequested
  | CallResponded
  | CallFailed
  | CallAborted
  | NodeFailed
  | NodeReused
  | NodeAborted
  | NodePaused
  | NodeResumed
  | NodeNudged
  | BranchTaken
  | MapExpanded
  | LoopTurned
  | TimerSet
  | TimerFired
  | SignalAwaited
  | SignalReceived
  | SignalBuffered
  | SignalTimedOut
  | RunPaused
  | RunResumed
  | RunMigrated
  | RunCompleted
  | RunFailed
  | RunAborted;

/** Whose run it is. `orgId` is the tenant; rows of one are invisible to another. */
export interface Caller {
  readonly identity: Identity;
  readonly orgId: string;
  /** Id of the API key that vouched for it, whose budgets and rates its calls of models count against; absent: none did. */
  readonly keyId?: string;
}

export interface RunCreated {
  readonly type: "run.created";
  readonly workflow: string;
  /** Content hash of the template. */
  readonly version: string;
  /** Content hash of the plan, stored once under it. */
  readonly planHash: string;
  readonly input: Json;
  readonly caller: Caller;
  readonly labels: Readonly<Record<string, string>>;
  /** Higher first; 0 is normal. */
  readonly priority: number;
  /** The call that started this run as a child; null for a run of its own. */
  readonly parent: ParentCall | null;
  /** Unique per organization and workflow; null without one. */
  readonly idempotencyKey: string | null;
  /** Ms epoch after which the run is aborted with TIMEOUT; null for none. */
  readonly deadline: number | null;
  /** W3C trace context of whoever asked for the root run; absent: it is a trace of its own. */
  readonly traceparent?: string;
  /** What the run and all that descends from it may use; absent: nothing limits it. */
  readonly budget?: CreatedBudget;
  /** The run that this one repeats or branches off from; absent: none. */
  readonly lineage?: Lineage;
  /** What it has to pass before `run.started`, until when it is `queued`. Absent: it starts at once, without that event. */
  readonly gate?: RunGate;
}

/** Budgets that hold for a run: its own, and those of the runs above it, outermost first. */
export interface CreatedBudget {
  readonly own: Omit<RunBudget, "runId"> | null;
  readonly above: readonly RunBudget[];
}

/** A budget of a run. */
export interface RunBudget {
  readonly runId: string;
  readonly limits: BudgetLimits;
  /** Ms epoch by which the run with all that descends from it must have ended; null: whenever. */
  readonly deadline: number | null;
  /** How many runs the run stands below. */
  readonly level: number;
}

/** Where a run comes from that was made of another. Its `node.reused` events follow in the same commit. */
export interface Lineage {
  readonly runId: string;
  readonly kind: "rerun" | "fork";
  /** Keys from which on nothing was reused; null: none was named. */
  readonly from: readonly string[] | null;
  /** Seq of the other run as of which it was looked at; absent: all of its log. */
  readonly at?: number;
}

/** What a run waits for before its first node. */
export interface RunGate {
  /** Ms epoch; null: now. */
  readonly startAfter: number | null;
  /** Passed one after the other, and held until the run has ended. */
  readonly lines: readonly GateLine[];
}

/** A line of runs or calls under one key of one organization. Limits that people have set for the key come first. */
export interface GateLine {
  readonly key: string;
  /** Most that hold the key at once; absent: no limit of its own. */
  readonly concurrency?: number;
  /** Most that pass in any span of `perMs`. */
  readonly rate?: { readonly limit: number; readonly perMs: number };
  /** Passes no sooner than this long after it has come. */
  readonly delayMs?: number;
  /** Ends the delay so long after the first of those that were replaced in a row has come. */
  readonly maxDelayMs?: number;
  /** Runs that wait in this line when it comes are given up for it. */
  readonly replaces?: true;
}

/** A queued run has passed its gate. */
export interface RunStarted {
  readonly type: "run.started";
}

export interface ParentCall {
  readonly runId: string;
  readonly requestId: string;
  readonly rootRunId: string;
}

interface CallHead {
  /** Node key, with Map and Loop indices: `measure[3]`. */
  readonly key: string;
  /** 1, 2, 3 … per key. */
  readonly attempt: number;
  /** UUIDv5 of run, key and attempt. */
  readonly requestId: string;
}

export interface CallRequested extends CallHead {
  readonly type: "call.requested";
  readonly operationId: string;
  readonly input: Json;
}

export interface CallResponded extends CallHead {
  readonly type: "call.responded";
  readonly output: ResponseEnvelope;
}

export interface CallFailed extends CallHead {
  readonly type: "call.error";
  readonly error: EventError;
  /** When the next attempt is due, ms epoch; null: the node has failed. */
  readonly retryAt: number | null;
}

export interface CallAborted extends CallHead {
  readonly type: "call.aborted";
}

/** A node that failed without a call: its input, condition or list could not be made. */
export interface NodeFailed {
  readonly type: "node.failed";
  readonly key: string;
  readonly error: EventError;
}

/**
 * The result of a node of another run is taken for this run's own node. It is used when the node would become ready, at once
 * when it is; a node that is never reached leaves it unused.
 */
export interface NodeReused {
  readonly type: "node.reused";
  readonly key: string;
  /** Where it ran. `requestId` null: a timer or a signal. */
  readonly source: { readonly runId: string; readonly requestId: string | null };
  /** Attempts it took there. */
  readonly attempt: number;
  /** What was called, and what it was given; absent: it was no call. */
  readonly operationId?: string;
  readonly input?: Json;
  readonly data: Json;
  /** As they were there; null: not known. */
  readonly startedAt: number | null;
  readonly completedAt: number | null;
}

/** Somebody has aborted a node with all that is in it: at once, or when it is its turn. Dependents are aborted as by a failure. */
export interface NodeAborted {
  readonly type: "node.aborted";
  readonly key: string;
  readonly reason: string;
  readonly by: string;
}

/** Nothing of a node starts any more; what is under way goes on. */
export interface NodePaused {
  readonly type: "node.paused";
  readonly key: string;
  readonly by: string;
}

export interface NodeResumed {
  readonly type: "node.resumed";
  readonly key: string;
  readonly by: string;
}

/** The next attempt of a node is due now. */
export interface NodeNudged {
  readonly type: "node.nudged";
  readonly key: string;
  readonly by: string;
}

export interface BranchTaken {
  readonly type: "branch.taken";
  readonly key: string;
  readonly branch: "then" | "else" | "none";
}

export interface MapExpanded {
  readonly type: "map.expanded";
  readonly key: string;
  readonly count: number;
  /** Present when the list came from a function; else it is found again through its reference. */
  readonly items?: readonly Json[];
}

export interface LoopTurned {
  readonly type: "loop.turned";
  readonly key: string;
  /** Turns started so far. */
  readonly turns: number;
  /** False: the loop is over. */
  readonly again: boolean;
}

export interface TimerSet {
  readonly type: "timer.set";
  readonly key: string;
  /** Ms epoch. */
  readonly due: number;
}

export interface TimerFired {
  readonly type: "timer.fired";
  readonly key: string;
}

export interface SignalAwaited {
  readonly type: "signal.awaited";
  readonly key: string;
  readonly name: string;
  /** Ms epoch, or null to wait for ever. */
  readonly due: number | null;
  readonly question?: Json;
}

export interface SignalReceived {
  readonly type: "signal.received";
  readonly key: string;
  readonly name: string;
  readonly payload: Json;
  /** Identity id of who answered. */
  readonly by: string;
  /** Seq of the `signal.buffered` that this is; absent: the run was waiting. */
  readonly early?: number;
}

/** An answer that has come before the run waits for it: kept for the first Signal of this name or key. */
export interface SignalBuffered {
  readonly type: "signal.buffered";
  readonly name: string;
  readonly payload: Json;
  readonly by: string;
}

export interface SignalTimedOut {
  readonly type: "signal.timedout";
  readonly key: string;
}

export interface RunPaused {
  readonly type: "run.paused";
  readonly by: string;
}

export interface RunResumed {
  readonly type: "run.resumed";
  readonly by: string;
  /** It has not started yet, and waits again. */
  readonly queued?: true;
}

/** From here on the run is one of another version. Its whole log is folded under the plan of its newest migration. */
export interface RunMigrated {
  readonly type: "run.migrated";
  readonly version: string;
  readonly planHash: string;
  /** What held until then. */
  readonly from: { readonly version: string; readonly planHash: string };
  readonly by: string;
}

export interface RunCompleted {
  readonly type: "run.completed";
  readonly output: Json;
  readonly counts: NodeCounts;
}

export interface RunFailed {
  readonly type: "run.failed";
  readonly error: EventError & { readonly nodeKey: string | null };
  readonly counts: NodeCounts;
}

export interface RunAborted {
  readonly type: "run.aborted";
  readonly reason: string;
  /** Absent: ABORTED. `REPLACED`: another run took its place in line. */
  readonly code?: string;
  readonly by: string;
  readonly counts: NodeCounts;
}

export interface EventError {
  readonly code: string;
  readonly message: string;
  readonly details?: Json;
}

/** Operation-like nodes by how they ended; `total` counts every one that was ever known. */
export interface NodeCounts {
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  readonly aborted: number;
  readonly skipped: number;
}

/** Status of a run as the list shows it. `queued`: it has not started. */
export type RunStatus = "queued" | "running" | "paused" | "completed" | "failed" | "aborted";

/** Event types after which a run's log is closed. */
export type TerminalType = "run.completed" | "run.failed" | "run.aborted";

/** The event that closed a run's log. */
export type Terminal = EventOf<TerminalType>;

/** True when nothing can follow `type` in a run's log. */
export function isTerminalType(type: EventBody["type"]): type is TerminalType {
  return type === "run.completed" || type === "run.failed" || type === "run.aborted";
}
