import type { Identity } from "./identity.ts";
import type { OperationSpec } from "./operation_spec.ts";
import type { CallUsage, ResponseEnvelope } from "./response_envelope.ts";

/** Severity of a line logged by a handler. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/**
 * What a handler knows of its call. May be a class instance whose `signal` is created on first read, so hosts must neither
 * spread it nor read `signal` without need.
 */
export interface OperationContext {
  readonly requestId?: string | undefined;
  readonly parentRequestId?: string | undefined;
  readonly identity?: Identity | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  /** Skips access checks. Set by `buildEnv` alone; never taken from the wire. */
  readonly trusted?: boolean | undefined;

  /** W3C trace context of this call's span: what the handler does belongs below it. */
  readonly traceparent?: string | undefined;

  // Below: never serialised.

  /** Other operations, called on behalf of this call. */
  readonly env?: OperationEnv | undefined;
  readonly stream?: (() => AsyncIterable<unknown>) | undefined;
  readonly pubsub?: unknown;
  /** Aborts when the caller no longer wants the answer. */
  readonly signal?: AbortSignal | undefined;
  /** When the caller stops waiting, in ms since the epoch. */
  readonly deadlineMs?: number | undefined;
  /** Tells watchers how far the work is. `value` is JSON. */
  progress?(value: unknown): void;
  /** For handlers that use tokens or money. */
  readonly usage?: UsageMeter | undefined;
  /** Attaches a log line to this call. `data` is JSON. */
  log?(level: LogLevel, message: string, data?: unknown): void;
}

/** What a handler says of what its call uses, where a budget may hold for it. */
export interface UsageMeter {
  /**
   * Sets aside as much as the call may use in all, before it is used. Without a budget it always fits.
   *
   * @throws {CallError} `BUDGET_EXCEEDED`
   */
  reserve(upTo: { readonly tokens?: number; readonly costMicros?: number }): Promise<void>;
  /** What was used; several are added up. It goes into the answer's `meta.usage`. */
  settle(usage: CallUsage): void;
}

/** Operations by namespace, then by name. */
export type OperationEnv = Readonly<
  Record<string, Readonly<Record<string, (input: unknown) => Promise<ResponseEnvelope>>>>
>;

/** Runs a query or mutation: answers a value or an envelope, now or later. */
export type OperationHandler<TInput = unknown, TOutput = unknown> = (
  input: TInput,
  context: OperationContext,
) => TOutput | ResponseEnvelope<TOutput> | Promise<TOutput | ResponseEnvelope<TOutput>>;

/** Runs a subscription. Must be a real `async function*`. */
export type SubscriptionHandler<TInput = unknown, TOutput = unknown> = (
  input: TInput,
  context: OperationContext,
) => AsyncGenerator<TOutput | ResponseEnvelope<TOutput>, void, undefined>;

/** Either kind of handler, as a registry stores it. */
export type AnyHandler = OperationHandler | SubscriptionHandler;

/** A spec and what runs it. */
export interface IOperationDefinition extends OperationSpec {
  readonly handler: AnyHandler;
}
