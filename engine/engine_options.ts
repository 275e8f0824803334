import type { Json, Plan, PlanFunction } from "@alkdev/flowgraph";
import type { Caller, CreatedBudget, Lineage, NodeReused, ParentCall, RunEvent, RunGate } from "./events.ts";
import { DEFAULT_VALUE_LIMITS, type ValueLimits } from "./json_value.ts";
import type {
  Clock,
  Dispatcher,
  EventLog,
  FencedError,
  FlowGate,
  FunctionSource,
  Ids,
  PlanStore,
  Random,
} from "./ports.ts";

export interface EngineOptions {
  readonly log: EventLog;
  readonly plans: PlanStore;
  readonly functions: FunctionSource;
  readonly dispatcher: Dispatcher;
  /** Absent: everything may start at once. */
  readonly gate?: FlowGate;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly limits?: Partial<EngineLimits>;
  /** After each commit, in order: what has become durable. */
  readonly onCommitted?: (events: readonly RunEvent[]) => void;
  /** A call that had waited `ms` for room is now sent. */
  readonly onWaited?: (ms: number) => void;
  /** The lease is lost: this engine has stopped driving. */
  readonly onFenced?: (error: FencedError) => void;
  /** Commits fail and are sent again (error), or go through again (null). */
  readonly onTrouble?: (error: unknown | null) => void;
}

export interface EngineLimits {
  readonly value: ValueLimits;
  /** Calls under way at once; further ones wait in order. */
  readonly maxInFlight: number;
  /** Of these, of one organization: so that one's flood does not stop another's trickle. */
  readonly maxInFlightPerOrg: number;
  /** Live runs beyond which a start is refused with OVERLOADED. */
  readonly maxLiveRuns: number;
  /** Inputs and results of live runs in memory beyond which a start is refused with OVERLOADED. */
  readonly maxLiveBytes: number;
  /** Events waiting for a commit beyond which a start is refused with OVERLOADED. */
  readonly maxBacklog: number;
}

export const DEFAULT_ENGINE_LIMITS: EngineLimits = {
  value: DEFAULT_VALUE_LIMITS,
  maxInFlight: 20_000,
  maxInFlightPerOrg: 15_000,
  maxLiveRuns: 1_000_000,
  maxLiveBytes: 1024 ** 3,
  maxBacklog: 200_000,
};

export interface NewRun {
  /** Given for a child run, whose id is its call's request id; else a fresh one is made. */
  readonly id?: string;
  readonly workflow: string;
  readonly version: string;
  readonly planHash: string;
  readonly plan: Plan;
  readonly functions: ReadonlyMap<string, PlanFunction>;
  readonly input: Json;
  readonly caller: Caller;
  readonly labels?: Readonly<Record<string, string>>;
  readonly priority?: number;
  readonly parent?: ParentCall;
  readonly idempotencyKey?: string;
  readonly deadline?: number;
  readonly budget?: CreatedBudget;
  readonly lineage?: Lineage;
  /** Results of the run it comes from, made durable with its `run.created`. */
  readonly reuse?: readonly NodeReused[];
  /** Absent: it starts at once. */
  readonly gate?: RunGate;
  /** See `RunCreated`. */
  readonly traceparent?: string;
  /**
   * `after`: it starts, and its nodes go on, without waiting for commits, which come right behind. A crash may lose it, whole or
   * its end; then it goes on from what is durable, as any run does. Not for runs with an idempotency key, a gate or lineage, which
   * start as others do. Default `before`.
   */
  readonly durability?: "before" | "after";
}

export interface Started {
  readonly runId: string;
  /** True: the idempotency key was taken, and `runId` is the run that has it. */
  readonly duplicate: boolean;
}
