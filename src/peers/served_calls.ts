import { enforceAccess, OperationType, type ResponseEnvelope, validateOrThrow } from "@alkdev/operations";
import { CallError } from "@alkdev/operations";
import type { DispatchedCall } from "../../engine/ports.ts";
import { type RunnerPool, SpokeLostError } from "../spokes/mod.ts";
import type { HubBus } from "./ports.ts";
import { type CallOutcome, errorOutcome, type WireCall } from "./wire_call.ts";

/** Calls of other hubs that may be under way here. */
const MAX_SERVED = 20_000;

interface Served {
  readonly controller: AbortController;
  /** The hub that waits for it; null: this one. */
  replyTo: string | null;
  readonly streaming: boolean;
  /** Of a call that is no stream. */
  readonly answer: Promise<ResponseEnvelope>;
}

/**
 * Calls that other hubs make on the spokes of this one.
 *
 * 1. A call is under way once, however often and by whomever it is asked for: whoever asked last gets its outcome, and only its
 *    abort counts. So a run that changes hands finds its calls where they are.
 * 2. An outcome is sent once and not kept: if it gets lost the call is asked for again, and the spoke answers from memory.
 */
export class ServedCalls {
  readonly #bus: HubBus;
  readonly #pool: RunnerPool;
  readonly #isLeaving: () => boolean;
  readonly #served = new Map<string, Served>();

  constructor(parts: { readonly bus: HubBus; readonly pool: RunnerPool; readonly isLeaving: () => boolean }) {
    this.#bus = parts.bus;
    this.#pool = parts.pool;
    this.#isLeaving = parts.isLeaving;
    parts.bus.subscribe("call", (message, from) => this.#requested(message as WireCall, from));
    parts.bus.subscribe("abort", (message, from) => this.#aborted(message as string, from));
    parts.bus.subscribe("ask", (message, from) => this.#asked(message as readonly string[], from));
  }

  get size(): number {
    return this.#served.size;
  }

  /** The answer of a call that this hub now drives itself, if another hub has started it here; else null. */
  takeOver(call: DispatchedCall): Promise<ResponseEnvelope> | null {
    const served = this.#served.get(call.requestId);
    if (served === undefined || served.streaming) return null;
    served.replyTo = null;
    const onAbort = (): void => {
      if (!this.#isLeaving()) served.controller.abort(call.signal.reason);
    };
    if (call.signal.aborted) onAbort();
    call.signal.addEventListener("abort", onAbort, { once: true });
    return served.answer.finally(() => call.signal.removeEventListener("abort", onAbort));
  }

  /** A hub is gone: nobody reads its streams any more. What is no stream may be wanted by the next owner of its run. */
  peerGone(hubId: string): void {
    for (const { replyTo, streaming, controller } of [...this.#served.values()]) {
      if (replyTo === hubId && streaming) controller.abort(new CallError("ABORTED", "The calling hub is gone"));
    }
  }

  #requested(call: WireCall, from: string): void {
    const { requestId, operationId, orgId } = call;
    const known = this.#served.get(requestId);
    if (known !== undefined) {
      if (known.streaming) this.#say(from, { requestId, type: "lost" });
      else known.replyTo = from;
      return;
    }
    const spec = this.#pool.spec(orgId, operationId, call.spoke);
    // Under way here for this hub itself: it is about to find out that the run is no longer its own.
    const isBusy = this.#pool.place(requestId) !== null;
    if (
      spec === undefined || isBusy || this.#isLeaving() || this.#pool.offers(orgId, operationId, call.spoke) === null
    ) {
      return this.#say(from, { requestId, type: "lost" });
    }
    try {
      if (this.#served.size >= MAX_SERVED) {
        throw new CallError("OVERLOADED", `Hub "${this.#bus.hubId}" carries out ${MAX_SERVED} calls: wanted fewer`);
      }
      enforceAccess(spec.accessControl, call.identity, operationId);
      validateOrThrow(spec.inputSchema, call.input, `Input of operation "${operationId}"`);
      if (call.streaming !== (spec.type === OperationType.SUBSCRIPTION)) {
        throw new CallError("VALIDATION_ERROR", `Operation "${operationId}" is a ${spec.type}`, { operationId });
      }
    } catch (error) {
      return this.#say(from, errorOutcome(requestId, error));
    }
    const controller = new AbortController();
    const here: DispatchedCall = { ...call, signal: controller.signal };
    const answer = call.streaming ? Promise.resolve(NO_ANSWER) : this.#pool.call(here, spec);
    const served: Served = { controller, replyTo: from, streaming: call.streaming, answer };
    this.#served.set(requestId, served);
    if (call.streaming) void this.#forward(served, requestId, this.#pool.stream(here, spec));
    else void this.#reply(served, requestId);
  }

  async #reply(served: Served, requestId: string): Promise<void> {
    let outcome: CallOutcome;
    try {
      outcome = { requestId, type: "responded", output: await served.answer, n: 0 };
    } catch (error) {
      outcome = error instanceof SpokeLostError ? { requestId, type: "lost" } : errorOutcome(requestId, error);
    }
    this.#finish(served, requestId, outcome);
  }

  async #forward(served: Served, requestId: string, chunks: AsyncIterable<ResponseEnvelope>): Promise<void> {
    let n = 0;
    let outcome: CallOutcome;
    try {
      for await (const output of chunks) {
        if (served.replyTo !== null) this.#say(served.replyTo, { requestId, type: "responded", output, n: n++ });
      }
      outcome = { requestId, type: "completed", n };
    } catch (error) {
      outcome = errorOutcome(requestId, error);
    }
    this.#finish(served, requestId, outcome);
  }

  #finish(served: Served, requestId: string, outcome: CallOutcome): void {
    this.#served.delete(requestId);
    // An aborted call has nobody who waits for it.
    if (served.replyTo !== null && !served.controller.signal.aborted) this.#say(served.replyTo, outcome);
  }

  #aborted(requestId: string, from: string): void {
    const served = this.#served.get(requestId);
    if (served?.replyTo === from) served.controller.abort(new CallError("ABORTED", "Call was aborted by its caller"));
  }

  #asked(requestIds: readonly string[], from: string): void {
    const unknown = requestIds.filter((requestId) => this.#served.get(requestId)?.replyTo !== from);
    if (unknown.length > 0) void this.#bus.send(from, "unknown", unknown);
  }

  #say(hubId: string, outcome: CallOutcome): void {
    void this.#bus.send(hubId, "outcome", outcome);
  }
}

/** Stands where a stream has no single answer. */
const NO_ANSWER: ResponseEnvelope = { data: null, meta: { source: "local", operationId: "", timestamp: 0 } };
