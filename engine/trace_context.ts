/**
 * Trace ids by rule, so that every hub and every reader of the log finds the same ones (docs/decisions/0016-traces-from-the-log.md):
 *
 * - The trace is the caller's (`traceparent` of the start), else the root run's id without its dashes.
 * - A run's span is the last eight bytes of its id, a call's the first eight of its request id. A child run has the request id of
 *   its call as its id, so the two must differ.
 */
import type { RunCreated } from "./events.ts";

/** One place in a trace. Ids are lower-case hex. */
export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  /** Two hex digits; the lowest bit: sampled. */
  readonly flags: string;
}

export interface RunTrace extends TraceContext {
  /** Null: the run is the root of its trace. */
  readonly parentSpanId: string | null;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** Traces that begin here are sampled: whoever collects decides what is kept. */
const SAMPLED = "01";

/** Null: not a valid W3C `traceparent`, which is then as good as none. */
export function parseTraceparent(text: string): TraceContext | null {
  const match = TRACEPARENT.exec(text);
  if (match === null) return null;
  const [, version = "", traceId = "", spanId = "", flags = "", more] = match;
  if (version === "ff" || (version === "00" && more !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, flags };
}

export function formatTraceparent({ traceId, spanId, flags }: TraceContext): string {
  return `00-${traceId}-${spanId}-${flags}`;
}

/** The span of a run. */
export function runTrace(runId: string, created: Pick<RunCreated, "parent" | "traceparent">): RunTrace {
  const { parent, traceparent } = created;
  const joined = traceparent === undefined ? null : parseTraceparent(traceparent);
  return {
    traceId: joined?.traceId ?? hex(parent?.rootRunId ?? runId),
    spanId: hex(runId).slice(16),
    flags: joined?.flags ?? SAMPLED,
    parentSpanId: parent !== null ? callSpanId(parent.requestId) : joined?.spanId ?? null,
  };
}

/** The span of a call, from its request id. */
export function callSpanId(requestId: string): string {
  return hex(requestId).slice(0, 16);
}

function hex(uuid: string): string {
  return uuid.replaceAll("-", "");
}
