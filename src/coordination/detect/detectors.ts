/**
 * Anomalies of a session, from what it has done. Pure: the same trace and time give the same anomalies, and one that goes on
 * keeps its occurrence, so that it is recorded once.
 */
import type { Anomaly } from "../detection.ts";
import type { SessionTrace, TracedCall, TracedStep } from "./session_trace.ts";

/** No activity for longer than this while a turn is under way is a stall. As published. */
export const STALL_MS = 60_000;
/** How often sessions are looked at. As published. */
export const CHECK_EVERY_MS = 30_000;
/** Errors of tools that are many. As published. */
export const MANY_ERRORS = 5;
/** Operations that wait for somebody else as long as it takes. */
const WAITING: ReadonlySet<string> = new Set(["coord.wait", "coord.notify"]);
/** The same call, so often in a row of calls, is a loop. */
export const LOOP_CALLS = 4;
/** Costs so many times the median of its siblings … */
export const COST_RATIO = 4;
/** … of which there are so many at least … */
export const MIN_SIBLINGS = 2;
/** … and more than this: a cent is no outlier. */
export const COST_FLOOR_MICROS = 10_000;
/** Steps in a row that bring nothing new. */
export const IDLE_STEPS = 5;

/** What detectors look at. */
export interface Observation {
  readonly trace: SessionTrace;
  /** Costs of the other children of its parent, in millionths. */
  readonly siblingCosts: readonly number[];
  /** Ms since the epoch. */
  readonly now: number;
}

/** All anomalies of a session, in a fixed order. */
export function anomaliesOf(observation: Observation): readonly Anomaly[] {
  const { trace, siblingCosts, now } = observation;
  return [
    modelDegradation(trace),
    highErrorCount(trace),
    sessionStall(trace, now),
    ...callLoops(trace),
    costOutlier(trace, siblingCosts),
    noProgress(trace),
  ].filter((anomaly) => anomaly !== null);
}

/** One malformed call is enough; each further one is another occurrence. */
export function modelDegradation({ malformedCalls }: SessionTrace): Anomaly | null {
  if (malformedCalls < 1) return null;
  return {
    type: "MODEL_DEGRADATION",
    severity: "high",
    occurrence: String(malformedCalls),
    suggestion: "Send a message; if it goes on, abort and spawn again with another model",
    details: { malformedCalls },
  };
}

/** Another occurrence with each five more. */
export function highErrorCount({ toolErrors }: SessionTrace): Anomaly | null {
  if (toolErrors < MANY_ERRORS) return null;
  return {
    type: "HIGH_ERROR_COUNT",
    severity: "medium",
    occurrence: String(Math.floor(toolErrors / MANY_ERRORS)),
    suggestion: "Look at what its tools answer, and guide it with a message",
    details: { toolErrors },
  };
}

/** A stall lasts until there is activity again. One that waits for a person, or for its own children, has not stalled. */
export function sessionStall({ status, lastActivityAt, runId, steps }: SessionTrace, now: number): Anomaly | null {
  if (status !== "busy" || now - lastActivityAt <= STALL_MS) return null;
  const pending = steps.at(-1)?.calls.filter(({ outcome }) => outcome === "pending") ?? [];
  if (pending.some(({ tool }) => WAITING.has(tool))) return null;
  return {
    type: "SESSION_STALL",
    severity: "medium",
    occurrence: String(lastActivityAt),
    suggestion: "Send a message such as “Please continue”, or look at what its run waits for",
    details: { lastActivityAt, runId },
  };
}

/** The same tool with the same input, again and again, whatever it answers. One occurrence for a run of equal calls. */
export function callLoops({ steps }: SessionTrace): readonly Anomaly[] {
  const loops: Anomaly[] = [];
  let first: { readonly call: TracedCall; readonly runId: string | null } | null = null;
  let count = 0;
  const close = (): void => {
    if (first !== null && count >= LOOP_CALLS) loops.push(loopOf(first.call, first.runId, count));
  };
  for (const { runId, calls } of steps) {
    for (const call of calls) {
      if (first !== null && first.call.tool === call.tool && first.call.input === call.input) {
        count++;
        continue;
      }
      close();
      first = { call, runId };
      count = 1;
    }
  }
  close();
  return loops;
}

function loopOf({ tool, input }: TracedCall, runId: string | null, count: number): Anomaly {
  return {
    type: "CALL_LOOP",
    severity: "medium",
    occurrence: `${runId ?? ""}:${tool}:${input}`.slice(0, 500),
    suggestion: "Tell it what the answer means, or abort it",
    details: { tool, count, runId, input: input.slice(0, 500) },
  };
}

/** Another occurrence with each doubling. */
export function costOutlier({ costMicros }: SessionTrace, siblingCosts: readonly number[]): Anomaly | null {
  if (siblingCosts.length < MIN_SIBLINGS || costMicros <= COST_FLOOR_MICROS) return null;
  const median = medianOf(siblingCosts);
  if (costMicros < COST_RATIO * Math.max(median, 1)) return null;
  return {
    type: "COST_OUTLIER",
    severity: "medium",
    occurrence: String(Math.floor(Math.log2(costMicros / COST_FLOOR_MICROS))),
    suggestion: "Compare its task with those of its siblings; split it, or give it a budget",
    details: { costMicros, siblingMedianMicros: median, siblings: siblingCosts.length },
  };
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * The newest steps of the turn under way brought nothing new: each of their calls failed, or had been made before with the same
 * answer, and a step without calls said what an earlier one had said. One occurrence until there is progress.
 */
export function noProgress({ status, runId, steps }: SessionTrace): Anomaly | null {
  if (status !== "busy") return null;
  const seen = new Set<string>();
  let idle = 0;
  let firstIdle = 0;
  for (const [index, step] of steps.entries()) {
    if (step.calls.some(({ outcome }) => outcome === "pending")) continue;
    if (isNew(step, seen)) idle = 0;
    else if (idle++ === 0) firstIdle = index;
  }
  if (idle < IDLE_STEPS) return null;
  const since = steps[firstIdle]!;
  return {
    type: "NO_PROGRESS",
    severity: "medium",
    occurrence: `${runId ?? ""}:${fingerprint(since)}`.slice(0, 500),
    suggestion: "Tell it what is missing, narrow the task, or abort it",
    details: { steps: idle, runId },
  };
}

function isNew({ calls, text }: TracedStep, seen: Set<string>): boolean {
  let anything = false;
  for (const { tool, input, output, outcome } of calls) {
    const mark = `${tool} ${input} ${output}`;
    if (outcome === "ok" && !seen.has(mark)) anything = true;
    seen.add(mark);
  }
  if (calls.length > 0) return anything;
  const mark = `says ${text}`;
  if (seen.has(mark)) return false;
  seen.add(mark);
  return true;
}

function fingerprint({ calls, text }: TracedStep): string {
  return calls.length === 0 ? text : calls.map(({ tool, input }) => `${tool} ${input}`).join(" ");
}
