/** What a session has done lately, as detectors look at it. */

/** A call of a tool in a step. */
export interface TracedCall {
  readonly tool: string;
  /** Input and output as canonical JSON; output null: there is none. */
  readonly input: string;
  readonly output: string | null;
  readonly outcome: "ok" | "error" | "denied" | "pending";
}

/** One answer of the model with the calls it asked for. */
export interface TracedStep {
  readonly runId: string | null;
  readonly calls: readonly TracedCall[];
  /** Whether the model said anything in it. */
  readonly text: string;
}

/** The newest steps of a session, oldest first, and its counts. Times are ms since the epoch. */
export interface SessionTrace {
  readonly status: "idle" | "busy" | "waiting" | "stopped" | "failed";
  readonly runId: string | null;
  readonly lastActivityAt: number;
  readonly toolErrors: number;
  readonly malformedCalls: number;
  readonly costMicros: number;
  readonly steps: readonly TracedStep[];
}
