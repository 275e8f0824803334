import type { OperationContext, OperationEnv } from "./operation_context.ts";
import { operationId, OperationType } from "./operation_spec.ts";
import type { OperationRegistry } from "./registry.ts";
import type { ResponseEnvelope } from "./response_envelope.ts";

/** What {@linkcode buildEnv} makes an env from. */
export interface BuildEnvOptions {
  readonly registry: OperationRegistry;
  /** Of the outer call. Its identity is passed on. */
  readonly context: OperationContext;
  /** Default: every namespace. */
  readonly allowedNamespaces?: readonly string[];
}

/**
 * The operations a handler may call, as `env.<namespace>.<name>(input)`: every query and mutation registered now. The outer
 * call has passed its checks, so these calls are trusted; trust never crosses a process boundary.
 */
export function buildEnv({ registry, context, allowedNamespaces }: BuildEnvOptions): OperationEnv {
  const trusted: OperationContext = new TrustedContext(context);
  const env: Record<string, Record<string, (input: unknown) => Promise<ResponseEnvelope>>> = Object.create(null);
  for (const spec of registry.list()) {
    if (spec.type === OperationType.SUBSCRIPTION) continue;
    if (allowedNamespaces !== undefined && !allowedNamespaces.includes(spec.namespace)) continue;
    const id = operationId(spec);
    const namespace = env[spec.namespace] ??= Object.create(null);
    namespace[spec.name] = (input) => registry.execute(id, input, trusted);
  }
  return env;
}

/** A view of another context, not a copy: reading `signal` may create it. */
class TrustedContext implements OperationContext {
  readonly trusted = true;
  readonly #outer: OperationContext;

  constructor(outer: OperationContext) {
    this.#outer = outer;
  }

  get requestId(): string | undefined {
    return this.#outer.requestId;
  }
  get parentRequestId(): string | undefined {
    return this.#outer.parentRequestId;
  }
  get identity(): OperationContext["identity"] {
    return this.#outer.identity;
  }
  get metadata(): OperationContext["metadata"] {
    return this.#outer.metadata;
  }
  get env(): OperationContext["env"] {
    return this.#outer.env;
  }
  get stream(): OperationContext["stream"] {
    return this.#outer.stream;
  }
  get pubsub(): unknown {
    return this.#outer.pubsub;
  }
  get signal(): AbortSignal | undefined {
    return this.#outer.signal;
  }
  get deadlineMs(): number | undefined {
    return this.#outer.deadlineMs;
  }
  progress(value: unknown): void {
    this.#outer.progress?.(value);
  }
  log(...line: Parameters<NonNullable<OperationContext["log"]>>): void {
    this.#outer.log?.(...line);
  }
}
