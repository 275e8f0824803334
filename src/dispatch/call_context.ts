import {
  buildEnv,
  type Identity,
  type LogLevel,
  type OperationContext,
  type OperationEnv,
  type ResponseEnvelope,
  type UsageMeter,
} from "@alkdev/operations";
import { CallMeter } from "./call_meter.ts";
import type { OperationRegistry } from "@alkdev/operations";
import type { DispatchedCall } from "../../engine/ports.ts";
import type { CallObserver, UsageHost } from "./ports.ts";

/** What all contexts of one dispatcher share. */
export interface ContextHost {
  readonly registry: OperationRegistry;
  readonly observer: CallObserver;
  /** Absent: nothing limits what calls use. */
  readonly usage?: UsageHost;
}

/** A handler's view of its call. Nothing is made before it is asked for: most handlers ask for nothing. */
export class CallContext implements OperationContext {
  readonly call: DispatchedCall;
  readonly #host: ContextHost;
  #env: OperationEnv | undefined;
  #meter: CallMeter | null = null;

  constructor(call: DispatchedCall, host: ContextHost) {
    this.call = call;
    this.#host = host;
  }

  get requestId(): string {
    return this.call.requestId;
  }

  get parentRequestId(): string | undefined {
    return this.call.parentRequestId === "" ? undefined : this.call.parentRequestId;
  }

  get identity(): Identity {
    return this.call.identity;
  }

  /** `runId`, `nodeKey` and `attempt`; empty outside a run. */
  get metadata(): Readonly<Record<string, unknown>> {
    const { runId, nodeKey, attempt } = this.call;
    return runId === "" ? {} : { runId, nodeKey, attempt };
  }

  get signal(): AbortSignal {
    return this.call.signal;
  }

  get deadlineMs(): number | undefined {
    return this.call.deadline ?? undefined;
  }

  get traceparent(): string | undefined {
    return this.call.traceparent;
  }

  get env(): OperationEnv {
    return this.#env ??= buildEnv({ registry: this.#host.registry, context: this });
  }

  get usage(): UsageMeter {
    return this.#meter ??= new CallMeter(this.call, this.#host.usage);
  }

  /** The answer with what its handler said that it used; one that says so itself is believed. */
  withUsage(envelope: ResponseEnvelope): ResponseEnvelope {
    const used = this.#meter?.used ?? null;
    return used === null || envelope.meta.usage !== undefined
      ? envelope
      : { data: envelope.data, meta: { ...envelope.meta, usage: used } };
  }

  progress(value: unknown): void {
    this.#host.observer.progress?.(this.call, value);
  }

  log(level: LogLevel, message: string, data?: unknown): void {
    this.#host.observer.log?.(this.call, level, message, data ?? null);
  }
}
