/**
 * Turns committed events into spans: a run is a span, every attempt of a call one below it. Ids and times are those of the log
 * (engine/trace_context.ts), so it does not matter which hub saw what: whoever commits the end of something makes its span.
 *
 * - T1 `observe` is called with each commit, in order, and waits for nothing.
 * - T2 The start of a call that another hub or an earlier process saw is read from the log, behind a bounded queue.
 */
import { callSpanId, type EventOf, type RunEvent, runTrace } from "../../../engine/mod.ts";

/** A span that has ended. Times are ms since the epoch, ids lower-case hex. */
export interface EndedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Null: the root of its trace. */
  readonly parentSpanId: string | null;
  readonly name: string;
  /** `call`: somebody else may have spans below it. */
  readonly kind: "run" | "call";
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** Null: it went well. */
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface TraceRecorderOptions {
  readonly sink: (span: EndedSpan) => void;
  /** The `run.created` of a live run. */
  readonly created: (runId: string) => EventOf<"run.created"> | null;
  readonly read: (runId: string) => Promise<readonly RunEvent[]>;
}

type Created = EventOf<"run.created">;
type Outcome = EventOf<"call.responded" | "call.error" | "call.aborted">;
type Start = Pick<EventOf<"call.requested">, "operationId" | "at">;

/** Calls under way whose start is remembered. */
const MAX_OPEN = 50_000;
/** Outcomes whose start has to be read. */
const MAX_LATE = 10_000;

export class TraceRecorder {
  readonly #options: TraceRecorderOptions;
  readonly #open: Map<string, Start> = new Map();
  /** By run. */
  #late: Map<string, { readonly created: Created; readonly outcomes: Outcome[] }> = new Map();
  #lateCount = 0;
  #reading: Promise<void> | null = null;

  constructor(options: TraceRecorderOptions) {
    this.#options = options;
  }

  observe(events: readonly RunEvent[]): void {
    let created: Created | null = null;
    let runId = "";
    for (const event of events) {
      if (runId !== event.runId) {
        runId = event.runId;
        created = event.type === "run.created" ? event : this.#options.created(runId);
      }
      if (created === null || !isSampled(created)) continue;
      switch (event.type) {
        case "call.requested":
          if (this.#open.size < MAX_OPEN) {
            this.#open.set(event.requestId, { operationId: event.operationId, at: event.at });
          }
          break;
        case "call.responded":
        case "call.error":
        case "call.aborted": {
          const start = this.#open.get(event.requestId);
          this.#open.delete(event.requestId);
          if (start === undefined) this.#readStart(created, event);
          else this.#options.sink(callSpan(created, start, event));
          break;
        }
        case "run.completed":
        case "run.failed":
        case "run.aborted":
          this.#options.sink(runSpan(created, event));
      }
    }
  }

  /** Resolves when no start is being read any more. */
  async idle(): Promise<void> {
    while (this.#reading !== null) await this.#reading;
  }

  #readStart(created: Created, outcome: Outcome): void {
    if (this.#lateCount >= MAX_LATE) return;
    this.#lateCount++;
    const known = this.#late.get(created.runId);
    if (known === undefined) this.#late.set(created.runId, { created, outcomes: [outcome] });
    else known.outcomes.push(outcome);
    this.#reading ??= this.#readAll().finally(() => this.#reading = null);
  }

  async #readAll(): Promise<void> {
    while (this.#late.size > 0) {
      const late = this.#late;
      this.#late = new Map();
      this.#lateCount = 0;
      for (const [runId, { created, outcomes }] of late) {
        const starts = new Map<string, Start>();
        // A database that is away costs a span, and nothing else.
        for (const event of await this.#options.read(runId).catch(() => [])) {
          if (event.type === "call.requested") starts.set(event.requestId, event);
        }
        for (const outcome of outcomes) {
          const start = starts.get(outcome.requestId);
          if (start !== undefined) this.#options.sink(callSpan(created, start, outcome));
        }
      }
    }
  }
}

function isSampled({ runId, parent, traceparent }: Created): boolean {
  if (traceparent === undefined) return true;
  const { flags } = runTrace(runId, { parent, traceparent });
  return (Number.parseInt(flags, 16) & 1) === 1;
}

function runSpan(created: Created, event: EventOf<"run.completed" | "run.failed" | "run.aborted">): EndedSpan {
  const { runId, workflow, version, caller } = created;
  const { traceId, spanId, parentSpanId } = runTrace(runId, created);
  const status = event.type.slice("run.".length);
  return {
    traceId,
    spanId,
    parentSpanId,
    name: `workflow.${workflow}`,
    kind: "run",
    startMs: created.at,
    endMs: event.at,
    attributes: {
      "hub.run.id": runId,
      "hub.run.status": status,
      "hub.workflow.name": workflow,
      "hub.workflow.version": version,
      "hub.org": caller.orgId,
    },
    error: event.type === "run.failed"
      ? event.error
      : event.type === "run.aborted"
      ? { code: "ABORTED", message: event.reason }
      : null,
  };
}

function callSpan(created: Created, start: Start, event: Outcome): EndedSpan {
  const { traceId, spanId } = runTrace(created.runId, created);
  return {
    traceId,
    spanId: callSpanId(event.requestId),
    parentSpanId: spanId,
    name: start.operationId,
    kind: "call",
    startMs: start.at,
    endMs: event.at,
    attributes: {
      "hub.run.id": created.runId,
      "hub.node.key": event.key,
      "hub.attempt": event.attempt,
      "hub.operation": start.operationId,
      "hub.request.id": event.requestId,
    },
    error: event.type === "call.error"
      ? event.error
      : event.type === "call.aborted"
      ? { code: "ABORTED", message: "The call was aborted" }
      : null,
  };
}
