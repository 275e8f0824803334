import { CallError } from "./call_error.ts";
import { CallEventMap, type CallRequestedEvent } from "./call_events.ts";
import type { Identity } from "./identity.ts";
import { mapError } from "./map_error.ts";
import type { OperationContext } from "./operation_context.ts";
import { OperationType } from "./operation_spec.ts";
import type { PendingRequestMap } from "./pending_request_map.ts";
import type { OperationRegistry } from "./registry.ts";
import { subscribe } from "./subscribe.ts";
import { startTimer } from "./timer.ts";
import { validateOrThrow } from "./validation.ts";

/** What {@linkcode buildCallHandler} makes a handler from. */
export interface CallHandlerOptions {
  readonly registry: OperationRegistry;
  /** Answers go out, and aborts come in, over this one. */
  readonly callMap: PendingRequestMap;
  /** Makes the handler's context of the one built from the event: to add `env`, `progress` or `log`. Must keep `signal` lazy. */
  readonly extendContext?: (context: OperationContext, event: CallRequestedEvent) => OperationContext;
}

/**
 * Runs requests against a registry, and publishes what comes of them. Nothing on the wire makes a call trusted.
 *
 * On `call.aborted` and past the deadline the handler's signal aborts and a subscription's generator is returned; the promise
 * resolves at once, and nothing more is said of that request (past the deadline: `TIMEOUT`). The promise never rejects.
 */
export function buildCallHandler(options: CallHandlerOptions): (event: CallRequestedEvent) => Promise<void> {
  return (event) =>
    new Promise((resolve) => {
      new HandledCall(options, event, resolve).start();
    });
}

/** One request being handled. `#done` is the only guard: once set, nothing is published. */
class HandledCall {
  readonly #options: CallHandlerOptions;
  readonly #event: CallRequestedEvent;
  readonly #context: CallContext;
  readonly #resolve: () => void;
  #unwatch: (() => void) | undefined;
  #cancelTimer: (() => void) | undefined;
  #stopGenerator: (() => void) | undefined;
  #done = false;

  constructor(options: CallHandlerOptions, event: CallRequestedEvent, resolve: () => void) {
    this.#options = options;
    this.#event = event;
    this.#context = new CallContext(event);
    this.#resolve = resolve;
  }

  start(): void {
    const { requestId, deadline } = this.#event;
    this.#unwatch = this.#options.callMap.watchAbort(
      requestId,
      () => this.#stop(new CallError("ABORTED", `Call "${requestId}" was aborted`)),
    );
    if (deadline !== undefined) {
      const error = new CallError("TIMEOUT", `Call "${requestId}" was not done by its deadline`, { deadline });
      this.#cancelTimer = startTimer(deadline - Date.now(), () => {
        this.#finish(() => this.#emit(error));
        this.#stop(error);
      });
    }
    this.#run().then(() => this.#finish(), (error) => this.#finish(() => this.#emit(error)));
  }

  async #run(): Promise<void> {
    const { registry, callMap, extendContext } = this.#options;
    const { requestId, operationId, input } = this.#event;
    validateOrThrow(CallEventMap["call.requested"], this.#event, "Call request");
    const context = extendContext?.(this.#context, this.#event) ?? this.#context;
    if (registry.getSpec(operationId)?.type !== OperationType.SUBSCRIPTION) {
      const envelope = await registry.execute(operationId, input, context);
      return this.#finish(() => callMap.respond(requestId, envelope));
    }
    const values = subscribe(registry, operationId, input, context);
    this.#stopGenerator = () => void values.return().catch(() => {});
    for await (const envelope of values) {
      if (this.#done) return;
      callMap.respond(requestId, envelope);
    }
    this.#finish(() => callMap.complete(requestId));
  }

  #emit(error: unknown): void {
    const { requestId, operationId } = this.#event;
    const errorSchemas = this.#options.registry.getSpec(operationId)?.errorSchemas;
    const { code, message, details } = mapError(error, errorSchemas);
    this.#options.callMap.emitError(requestId, code, message, details);
  }

  #finish(publish?: () => void): void {
    if (this.#done) return;
    this.#done = true;
    this.#unwatch?.();
    this.#cancelTimer?.();
    try {
      publish?.();
    } catch (error) {
      // An answer that cannot be sent (a cycle, a bigint) is an error that can.
      this.#emit(new CallError("EXECUTION_ERROR", `The answer cannot be sent: ${mapError(error).message}`));
    }
    this.#resolve();
  }

  #stop(reason: CallError): void {
    this.#finish();
    this.#context.abort(reason);
    this.#stopGenerator?.();
  }
}

/** Made from the event's own fields one by one, so that nothing else of the wire gets in. */
class CallContext implements OperationContext {
  readonly requestId: string;
  readonly parentRequestId: string | undefined;
  readonly identity: Identity | undefined;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  readonly deadlineMs: number | undefined;
  #controller: AbortController | undefined;
  #reason: CallError | undefined;

  constructor(event: CallRequestedEvent) {
    this.requestId = event.requestId;
    this.parentRequestId = event.parentRequestId;
    this.identity = event.identity;
    this.metadata = event.metadata;
    this.deadlineMs = event.deadline;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  abort(reason: CallError): void {
    this.#reason ??= reason;
    this.#controller?.abort(this.#reason);
  }
}
