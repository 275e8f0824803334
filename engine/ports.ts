/** What the engine needs from the world. Each port has a conformance suite in tests/conformance. */
import type { Identity, ResponseEnvelope } from "@alkdev/operations";
import type { Json, Plan, PlanFunction } from "@alkdev/flowgraph";
import type { RunCreated, RunEvent } from "./events.ts";

/**
 * The durable log. One engine has at most `concurrency` commits under way, never two with events of one run; a log must
 * nevertheless stand concurrent callers.
 */
export interface EventLog {
  /** Commits that are worth having under way at once, of different runs; absent: 1. */
  readonly concurrency?: number;
  /**
   * Makes a batch durable, whole or not at all, guarded by the lease in the same statement. The run list and the call graph
   * are written with it. For each run the batch's events have consecutive seqs that follow what is stored.
   *
   * A batch, or part of one, that this lease has already written is not an error (it is sent again after a lost answer).
   *
   * A `run.created` whose idempotency key is taken is left out, with all other events of its run, and reported.
   *
   * @throws FencedError when the lease is no longer this hub's: nothing was written, and nothing ever will be again.
   */
  commit(batch: readonly RunEvent[]): Promise<CommitResult>;
  /** A run's events with `seq > after`, ascending, at most `limit`. Unknown run: empty. */
  read(
    params: { readonly runId: string; readonly after?: number; readonly limit?: number },
  ): Promise<readonly RunEvent[]>;
}

export interface CommitResult {
  /** Run id of the attempted start -> id of the run that has the idempotency key. */
  readonly duplicates: ReadonlyMap<string, string>;
}

/** Another hub (or a later start of this one) has taken over: this process must stop driving. */
export class FencedError extends Error {
  constructor(hubId: string, epoch: number) {
    super(`Hub "${hubId}" no longer holds its lease: its epoch ${epoch} has been superseded`);
    this.name = "FencedError";
  }
}

/** Which runs are this hub's to drive. */
export interface Ownership {
  readonly hubId: string;
  /** Rises with each acquisition; every commit is guarded by it. */
  readonly epoch: number;
  /** Makes at most `limit` non-terminal runs without a live owner this hub's own; gives their ids. Empty: none left. */
  claim(limit: number): Promise<readonly string[]>;
  /** Extends the lease. @throws FencedError */
  renew(): Promise<void>;
  /** Gives the lease up; the runs are at once free to be claimed. */
  release(): Promise<void>;
}

/** Plans by content hash, written before the first run that names them is created. */
export interface PlanStore {
  put(hash: string, plan: Plan): Promise<void>;
  get(hash: string): Promise<Plan | null>;
}

/** Finds the functions of a plan that has them, from the template they were written in. */
export interface FunctionSource {
  functions(workflow: string, version: string, input: Json): Promise<ReadonlyMap<string, PlanFunction>>;
}

/** Executes one operation call, here or on a spoke: the engine cannot tell. */
export interface Dispatcher {
  /** Rejects with a CallError; anything else is recorded as EXECUTION_ERROR. Must not throw synchronously. */
  dispatch(call: DispatchedCall): Promise<ResponseEnvelope>;
}

export interface DispatchedCall {
  readonly requestId: string;
  readonly operationId: string;
  readonly input: Json;
  readonly identity: Identity;
  readonly orgId: string;
  /** Of whoever started the run, as `Caller` has it. */
  readonly keyId?: string | undefined;
  readonly runId: string;
  readonly nodeKey: string;
  readonly attempt: number;
  /** The run's own id: a run is a call whose children its nodes' calls are. */
  readonly parentRequestId: string;
  /** Ms epoch; null for none. The engine enforces it too. */
  readonly deadline: number | null;
  /** Labels a spoke must carry; null for any. */
  readonly spoke: Readonly<Record<string, string>> | null;
  /** W3C trace context of this call's own span. Made on each read. Absent: outside of any trace. */
  readonly traceparent?: string | undefined;
  /** Aborted when the node, its run or the hub stops. Made on first use. */
  readonly signal: AbortSignal;
  /**
   * What `signal` would tell a listener, for whoever needs nothing else of it: making a signal costs more than the rest of a call
   * does. In place of the listener before; null: nobody. Of a call that is aborted already it is told at once. Absent: there is
   * only the signal.
   */
  onAbort?(listener: AbortListener | null): void;
}

/** Told once that a call is aborted. */
export interface AbortListener {
  aborted(reason: unknown): void;
}

/** A call as the gate sees it. Its holder id is its request id: the same when it is sent again. */
export interface GatedCall extends DispatchedCall {
  readonly workflow: string;
  readonly concurrencyKey: string | null;
  readonly priority: number;
  /** Place in a line: see `rank.ts`. */
  readonly rank: number;
}

/** A run with a gate. Its holder id is its id. */
export interface GatedRun {
  readonly id: string;
  readonly created: RunCreated;
  /** True: it is only to hold again what it held. */
  readonly started: boolean;
  readonly rank: number;
}

/** Leaves a line, or gives back what was held there. Idempotent. */
export type LeaveGate = () => void;

/** Told once, and never before the request for it has returned. `replacedBy`: it is not to start; null: it may. */
export type GateAnswer<Of> = (waiting: Of, replacedBy: string | null) => void;

/**
 * Says when a call or a run may start, so that limits hold across hubs and crashes (I7). What is held is given back by
 * leaving, and by nothing else: who takes a run up asks again under the same holder id, and holds what was held.
 */
export interface FlowGate {
  /** Null, as for most calls: it may start at once, and nobody need know when it ends. */
  call<Call extends GatedCall>(call: Call, answer: GateAnswer<Call>): LeaveGate | null;
  run<Run extends GatedRun>(run: Run, answer: GateAnswer<Run>): LeaveGate;
  /** A run was taken up: what it held and does not soon ask for again is free. */
  adopted(runId: string): void;
}

/** Time. `now` is ms since the epoch. */
export interface Clock {
  now(): number;
  /** Runs `callback` once at or after `due` (ms epoch). Returns its cancellation. */
  at(due: number, callback: () => void): () => void;
  /**
   * Runs `callback` after all promise jobs queued by now have run: the end of the current turn. `hurry`: nothing else is
   * going on, so the runtime need not look for input first.
   */
  afterTurn(callback: () => void, hurry?: boolean): void;
}

export interface Ids {
  /** A fresh, time-ordered UUID (v7). */
  runId(): string;
  /** UUIDv5 of run, node key and attempt: the same for a re-send. */
  requestId(runId: string, key: string, attempt: number): string;
}

/** Uniform in [0, 1). */
export type Random = () => number;
