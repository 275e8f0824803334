import {
  createPubSub,
  type EnvelopeEvent,
  type EnvelopeListener,
  type PubSub,
  type Push,
  Repeater,
  type Stop,
  toTopic,
  type TypedEventTarget,
} from "@alkdev/pubsub";
import { CallError } from "./call_error.ts";
import type { CallEventMap } from "./call_events.ts";
import { type CallOptions, readEnvelope, type SubscribeOptions, toRequest } from "./call_request.ts";
import { isResponseEnvelope } from "./envelope.ts";
import type { ResponseEnvelope } from "./response_envelope.ts";
import { startTimer } from "./timer.ts";

type Pending = PendingCall | PendingSubscription;

interface PendingCall {
  readonly kind: "call";
  readonly resolve: (envelope: ResponseEnvelope) => void;
  readonly reject: (error: CallError) => void;
  readonly cancelTimer: (() => void) | undefined;
}

interface PendingSubscription {
  readonly kind: "subscription";
  readonly push: (envelope: ResponseEnvelope) => void;
  readonly end: (error?: CallError) => void;
}

/**
 * Correlates requests with their answers over an event target, for both sides of the call protocol.
 *
 * 1. A request is in `#pending` from before it is published until it is settled; whatever settles it takes it out first, so
 *    that the echo of an own event (an in-process target gives back what is published) finds nothing.
 * 2. Answers to unknown requests are ignored.
 * 3. Nothing here cascades to child requests.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { localEnvelope, PendingRequestMap } from "@alkdev/operations";
 *
 * const calls = new PendingRequestMap(); // or one end of a transport
 * const call = calls.call("math.double", { n: 21 }, { deadline: Date.now() + 1_000 });
 * assert.equal(calls.getPendingCount(), 1);
 * calls.close();
 * await assert.rejects(call, { code: "ABORTED" });
 * assert.throws(() => calls.respond("r1", JSON.parse("{}")), TypeError); // wanted: localEnvelope(42, "math.double")
 * assert.equal(localEnvelope(42, "math.double").data, 42);
 * ```
 */
export class PendingRequestMap {
  readonly #target: TypedEventTarget;
  readonly #pubsub: PubSub<CallEventMap>;
  readonly #pending = new Map<string, Pending>();
  readonly #abortWatchers = new Map<string, () => void>();
  readonly #listeners: ReadonlyMap<string, EnvelopeListener>;
  #closed: CallError | undefined;

  /** @param eventTarget default: an `EventTarget` of its own */
  constructor(eventTarget: TypedEventTarget = new EventTarget()) {
    this.#target = eventTarget;
    this.#pubsub = createPubSub({ eventTarget });
    // Listening directly, not through subscribe(): an answer is routed in the turn it arrives in.
    this.#listeners = new Map([
      ["call.responded", this.#route((id, payload) => this.#onResponded(id, payload))],
      ["call.error", this.#route((id, payload) => this.#onError(id, payload))],
      ["call.completed", this.#route((id) => this.#onCompleted(id))],
      ["call.aborted", this.#route((id) => this.#onAborted(id))],
    ]);
    for (const [type, listener] of this.#listeners) eventTarget.addEventListener(toTopic(type, ""), listener);
  }

  /** @throws {CallError} what the other side answers; `TIMEOUT` past the deadline; `ABORTED` */
  call(operationId: string, input: unknown, options: CallOptions = {}): Promise<ResponseEnvelope> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const { deadline } = options;
    const request = toRequest(operationId, input, options, deadline === undefined ? {} : { deadline });
    const { requestId } = request;
    return new Promise((resolve, reject) => {
      const cancelTimer = deadline === undefined
        ? undefined
        : startTimer(deadline - Date.now(), () => this.#onDeadline(requestId, operationId, deadline));
      this.#pending.set(requestId, { kind: "call", resolve, reject, cancelTimer });
      try {
        this.#pubsub.publish("call.requested", "", request);
      } catch (error) {
        this.#take(requestId);
        reject(error);
      }
    });
  }

  /**
   * The values of a subscription. The request is published when the first one is asked for; ending the iteration early
   * publishes `call.aborted`.
   *
   * @throws {CallError} what the other side answers; `TIMEOUT` when it is silent for `idleTimeout`
   */
  subscribe(
    operationId: string,
    input: unknown,
    options: SubscribeOptions = {},
  ): AsyncIterableIterator<ResponseEnvelope, void, undefined> {
    return new Repeater<ResponseEnvelope>((push, stop) => {
      if (this.#closed !== undefined) return stop(this.#closed);
      this.#startSubscription(operationId, input, options, push, stop);
    });
  }

  /** Answers a call, or gives one value of a subscription. @throws {TypeError} unless given an envelope */
  respond(requestId: string, output: ResponseEnvelope): void {
    if (!isResponseEnvelope(output)) {
      throw new TypeError(`Cannot respond to request "${requestId}" as the output is not a response envelope`);
    }
    this.#pubsub.publish("call.responded", "", { requestId, output });
  }

  emitError(requestId: string, code: string, message: string, details?: unknown): void {
    this.#pubsub.publish("call.error", "", {
      requestId,
      code,
      message,
      ...(details === undefined ? {} : { details }),
    });
  }

  /** Says that a subscription has given its last value. */
  complete(requestId: string): void {
    this.#pubsub.publish("call.completed", "", { requestId });
  }

  /** Gives up an own request: a call rejects with `ABORTED`, a subscription ends. Unknown ids are a no-op. */
  abort(requestId: string): void {
    const pending = this.#take(requestId);
    if (pending === undefined) return;
    this.#pubsub.publish("call.aborted", "", { requestId });
    if (pending.kind === "subscription") pending.end();
    else pending.reject(aborted(requestId));
  }

  /** Calls back when the caller of a request that is being handled here gives it up. Returns the end of watching. */
  watchAbort(requestId: string, onAbort: () => void): () => void {
    this.#abortWatchers.set(requestId, onAbort);
    return () => {
      if (this.#abortWatchers.get(requestId) === onAbort) this.#abortWatchers.delete(requestId);
    };
  }

  getPendingCount(): number {
    return this.#pending.size;
  }

  /** Stops listening; what is pending, and every later request, fails with `reason`. What is handled here is aborted. */
  close(reason: CallError = new CallError("ABORTED", "The connection has been closed")): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    for (const [type, listener] of this.#listeners) this.#target.removeEventListener(toTopic(type, ""), listener);
    for (const requestId of [...this.#pending.keys()]) {
      const pending = this.#take(requestId);
      if (pending?.kind === "call") pending.reject(reason);
      else pending?.end(reason);
    }
    for (const onAbort of [...this.#abortWatchers.values()]) onAbort();
    this.#abortWatchers.clear();
  }

  #startSubscription(
    operationId: string,
    input: unknown,
    options: SubscribeOptions,
    push: Push<ResponseEnvelope>,
    stop: Stop,
  ): void {
    const { idleTimeout } = options;
    const request = toRequest(operationId, input, options, idleTimeout === undefined ? {} : { idleTimeout });
    const { requestId } = request;
    let cancelTimer: (() => void) | undefined;
    const restartTimer = () => {
      cancelTimer?.();
      if (idleTimeout !== undefined) cancelTimer = startTimer(idleTimeout, onIdle);
    };
    const onIdle = () => {
      if (this.#take(requestId) === undefined) return;
      this.#pubsub.publish("call.aborted", "", { requestId });
      const message = `Subscription to operation "${operationId}" was silent for ${idleTimeout} ms`;
      stop(new CallError("TIMEOUT", message, { idleTimeout }));
    };
    this.#pending.set(requestId, {
      kind: "subscription",
      push: (envelope) => {
        restartTimer();
        void push(envelope);
      },
      end: (error) => stop(error),
    });
    stop.then(() => {
      cancelTimer?.();
      // Still pending: it was the consumer who ended it.
      if (this.#take(requestId) !== undefined) this.#pubsub.publish("call.aborted", "", { requestId });
    });
    restartTimer();
    try {
      this.#pubsub.publish("call.requested", "", request);
    } catch (error) {
      this.#take(requestId);
      stop(error);
    }
  }

  #route(handle: (requestId: string, payload: object) => void): EnvelopeListener {
    return ({ detail: { payload } }: EnvelopeEvent) => {
      if (typeof payload !== "object" || payload === null || !("requestId" in payload)) return;
      if (typeof payload.requestId === "string") handle(payload.requestId, payload);
    };
  }

  #take(requestId: string): Pending | undefined {
    const pending = this.#pending.get(requestId);
    if (pending === undefined) return undefined;
    this.#pending.delete(requestId);
    if (pending.kind === "call") pending.cancelTimer?.();
    return pending;
  }

  #onResponded(requestId: string, payload: object): void {
    const pending = this.#pending.get(requestId);
    if (pending === undefined) return;
    const envelope = readEnvelope(payload);
    if (envelope === undefined) {
      return this.#fail(
        requestId,
        new CallError("EXECUTION_ERROR", `Request "${requestId}" was answered without envelope`),
      );
    }
    if (pending.kind === "subscription") return pending.push(envelope);
    this.#take(requestId);
    pending.resolve(envelope);
  }

  #onError(requestId: string, payload: object): void {
    const code = "code" in payload ? String(payload.code) : "UNKNOWN_ERROR";
    const message = "message" in payload ? String(payload.message) : `Request "${requestId}" has failed`;
    this.#fail(requestId, new CallError(code, message, "details" in payload ? payload.details : undefined));
  }

  #fail(requestId: string, error: CallError): void {
    const pending = this.#take(requestId);
    if (pending?.kind === "call") pending.reject(error);
    else pending?.end(error);
  }

  #onCompleted(requestId: string): void {
    const pending = this.#take(requestId);
    if (pending?.kind === "subscription") return pending.end();
    pending?.reject(new CallError("ABORTED", `Call "${requestId}" was completed without response`));
  }

  #onAborted(requestId: string): void {
    this.#abortWatchers.get(requestId)?.();
    const pending = this.#take(requestId);
    if (pending?.kind === "subscription") return pending.end();
    pending?.reject(aborted(requestId));
  }

  #onDeadline(requestId: string, operationId: string, deadline: number): void {
    const pending = this.#take(requestId);
    if (pending?.kind !== "call") return;
    // The published class is silent here; told, the other side can stop working.
    this.#pubsub.publish("call.aborted", "", { requestId });
    const message = `Call of operation "${operationId}" was not answered by ${new Date(deadline).toISOString()}`;
    pending.reject(new CallError("TIMEOUT", message, { deadline }));
  }
}

function aborted(requestId: string): CallError {
  return new CallError("ABORTED", `Call "${requestId}" was aborted`);
}
