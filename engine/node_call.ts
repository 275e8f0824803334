import type { Json } from "@alkdev/flowgraph";
import type { Identity } from "@alkdev/operations";
import type { AbortListener, GatedCall } from "./ports.ts";
import { callSpanId, formatTraceparent, runTrace } from "./trace_context.ts";
import type { ActiveRun } from "./active_run.ts";
import { rankOf } from "./rank.ts";
import type { Frame, Place } from "./state/frame.ts";

/**
 * One attempt under way. Its outcome counts once: `ended` is set by whoever ends it first (answer, error, time-out, abort), and
 * what comes later is dropped (I2).
 */
export class NodeCall implements GatedCall {
  readonly run: ActiveRun;
  frame: Frame;
  vertex: number;
  readonly nodeKey: string;
  readonly attempt: number;
  readonly requestId: string;
  readonly operationId: string;
  /** The handler's own copy. */
  readonly input: Json;
  /** What the log says it was given. */
  readonly recorded: Json;
  /** Counted from `startedAt`, like its time-out. */
  deadline: number | null;
  readonly spoke: Readonly<Record<string, string>> | null;
  /** When it came; once it may start, when it did. */
  startedAt: number;
  /** Its run's and its node's together; higher first. */
  readonly priority: number;
  /** Of those with one key of one organization only so many run at once; null: none. */
  readonly concurrencyKey: string | null;
  /** Whether `call.requested` is in the log, or at least in the next batch. */
  logged: boolean;
  ended = false;
  /** Whether it counts among the calls under way; the engine's. */
  holdsSlot = false;
  cancelTimeout: (() => void) | null = null;
  /** Leaves the line at the gate, or gives its place back; the engine's. Null: it is in none. */
  leaveGate: (() => void) | null = null;
  /** Whether its handler may still be at work; the engine's. */
  atWork = false;
  #controller: AbortController | null = null;
  #listener: AbortListener | null = null;
  #cancelled = false;
  #reason: unknown;

  constructor(
    params: {
      readonly run: ActiveRun;
      readonly frame: Frame;
      readonly vertex: number;
      readonly nodeKey: string;
      readonly attempt: number;
      readonly requestId: string;
      readonly operationId: string;
      readonly input: Json;
      readonly recorded: Json;
      readonly deadline: number | null;
      readonly spoke: Readonly<Record<string, string>> | null;
      readonly startedAt: number;
      readonly priority: number;
      readonly concurrencyKey: string | null;
      readonly logged: boolean;
    },
  ) {
    this.run = params.run;
    this.frame = params.frame;
    this.vertex = params.vertex;
    this.nodeKey = params.nodeKey;
    this.attempt = params.attempt;
    this.requestId = params.requestId;
    this.operationId = params.operationId;
    this.input = params.input;
    this.recorded = params.recorded;
    this.deadline = params.deadline;
    this.spoke = params.spoke;
    this.startedAt = params.startedAt;
    this.priority = params.priority;
    this.concurrencyKey = params.concurrencyKey;
    this.logged = params.logged;
  }

  get rank(): number {
    return rankOf(this.startedAt, this.priority);
  }

  get runId(): string {
    return this.run.id;
  }

  get parentRequestId(): string {
    return this.run.id;
  }

  get workflow(): string {
    return this.run.state.created?.workflow ?? "";
  }

  get identity(): Identity {
    return this.run.caller.identity;
  }

  get orgId(): string {
    return this.run.caller.orgId;
  }

  get keyId(): string | undefined {
    return this.run.caller.keyId;
  }

  get traceparent(): string | undefined {
    const { created } = this.run.state;
    if (created === null) return undefined;
    return formatTraceparent({ ...runTrace(this.run.id, created), spanId: callSpanId(this.requestId) });
  }

  /** Made on first use: a handler may ask for it only after the call was cancelled. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#cancelled) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  onAbort(listener: AbortListener | null): void {
    this.#listener = listener;
    if (this.#cancelled) listener?.aborted(this.#reason);
  }

  moveTo({ frame, vertex }: Place): void {
    this.frame = frame;
    this.vertex = vertex;
  }

  /** Ends the call from this side: the signal first, then nobody listens any more. */
  cancel(reason: unknown): void {
    this.ended = true;
    this.#cancelled = true;
    this.#reason = reason;
    this.cancelTimeout?.();
    this.#controller?.abort(reason);
    this.#listener?.aborted(reason);
  }
}
