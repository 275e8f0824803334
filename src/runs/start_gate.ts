import type { Json } from "@alkdev/flowgraph";
import type { RunGate } from "../../engine/mod.ts";
import type { WhyEntry } from "./why_entry.ts";
import type { WorkflowVersion } from "./ports.ts";

/** A run that is to be started. */
export interface GatedStart {
  readonly orgId: string;
  readonly workflow: WorkflowVersion;
  readonly input: Json;
  readonly priority: number;
  /** Ms epoch; null: now. */
  readonly startAfter: number | null;
  /** Given for a child run. */
  readonly runId?: string;
  /** Given for a child run: keys of lines in which the runs that wait for it have a place. */
  readonly keysAbove?: () => Promise<ReadonlySet<string>>;
}

/** A start that is to wait at `gate`. */
export interface PassedStart {
  readonly gate: RunGate;
  /** The id that the run must have; undefined: any. */
  readonly runId: string | undefined;
  /** There will be no such run. */
  cancel(): void;
}

/** Says what a new run has to pass before its first node. */
export interface StartGate {
  /**
   * Null, as for most: nothing.
   *
   * @throws CallError VALIDATION_ERROR when a key cannot be made of the input, CONFLICT_REJECTED
   */
  of(start: GatedStart): Promise<PassedStart | null> | PassedStart | null;
}

/** What something waits for at the gate. */
export type FlowWait = Pick<WhyEntry, "waitsFor" | "message" | "since" | "until">;

/** What a run and its calls wait for at the gate. */
export type FlowWaits = (
  run: { readonly orgId: string; readonly runId: string; readonly workflow: string },
) => Promise<{ readonly run: FlowWait | null; call(nodeKey: string, operationId: string): FlowWait | null }>;
