import {
  CallError,
  checkAccess,
  enforceAccess,
  hasRequirements,
  mapError,
  type OperationRegistry,
  type OperationSpec,
  OperationType,
  parseOperationReference,
  type ResponseEnvelope,
  subscribe,
  validateOrThrow,
} from "@alkdev/operations";
import type { Caller } from "../../engine/events.ts";
import type { Clock, DispatchedCall } from "../../engine/ports.ts";
import { createEgress, type Egress } from "../egress/mod.ts";
import { registerBuiltins } from "./builtins/mod.ts";
import { CallContext, type ContextHost } from "./call_context.ts";
import { DirectCall } from "./direct_call.ts";
import type {
  CallObserver,
  DirectCallParams,
  HubDispatcher,
  Operations,
  RemoteOperations,
  UsageHost,
} from "./ports.ts";

export interface DispatcherOptions {
  /** Local operations. The built-in ones are added to it. */
  readonly registry: OperationRegistry;
  readonly pool: RemoteOperations;
  readonly clock: Clock;
  /** Of direct calls; those of runs have the engine's. Default 300,000. */
  readonly localTimeoutMs?: number;
  /** Hosts that `core.http` may call, as `host` or `host:port`. Default: none. */
  readonly httpHosts?: readonly string[];
  /** Default: one of its own, to public hosts. */
  readonly egress?: Egress;
  readonly observer?: CallObserver;
  /** Absent: nothing limits what calls use. */
  readonly usage?: UsageHost;
}

const DEFAULT_TIMEOUT_MS = 300_000;

/** Routes operations: to a local handler where there is one, else to a spoke of the caller's organization. */
export function createDispatcher(options: DispatcherOptions): HubDispatcher {
  const router = new OperationRouter(options);
  const { registry, clock, httpHosts = [], egress = createEgress({ clock }) } = options;
  registerBuiltins(registry, { operations: router.operations, clock, httpHosts, egress });
  return router;
}

class OperationRouter implements HubDispatcher {
  readonly operations: Operations;
  readonly #registry: OperationRegistry;
  readonly #pool: RemoteOperations;
  readonly #host: ContextHost;

  constructor(options: DispatcherOptions) {
    const { registry, pool, clock, observer = {}, localTimeoutMs = DEFAULT_TIMEOUT_MS, usage } = options;
    this.#registry = registry;
    this.#pool = pool;
    this.#host = { registry, observer, ...(usage !== undefined && { usage }) };
    this.operations = new DirectOperations(this, clock, localTimeoutMs);
  }

  /** The hot path: a local handler that answers at once costs one context and one settled promise. */
  dispatch(call: DispatchedCall): Promise<ResponseEnvelope> {
    try {
      const id = this.#localId(call.operationId);
      if (id === null) return this.#dispatchRemote(call);
      const context = new CallContext(call, this.#host);
      const answer = this.#registry.invoke(id, call.input, context);
      if (answer instanceof Promise) {
        return answer.then(
          (envelope) => context.withUsage(envelope),
          (error) => Promise.reject(this.#toCallError(call, error)),
        );
      }
      return Promise.resolve(context.withUsage(answer));
    } catch (error) {
      return Promise.reject(this.#toCallError(call, error));
    }
  }

  /** @throws {CallError} at the first step */
  stream(call: DispatchedCall): AsyncIterable<ResponseEnvelope> {
    const { operationId, orgId } = call;
    const spec = this.spec(orgId, operationId, call.spoke);
    if (spec === undefined) throw this.#notFound(call);
    if (spec.type !== OperationType.SUBSCRIPTION) {
      this.#check(call, spec);
      throw new CallError(
        "VALIDATION_ERROR",
        `Cannot subscribe to operation "${operationId}" as it is a ${spec.type}`,
        {
          operationId,
        },
      );
    }
    const id = this.#localId(operationId);
    if (id !== null) return subscribe(this.#registry, id, call.input, new CallContext(call, this.#host));
    this.#check(call, spec);
    return this.#pool.stream(call, spec);
  }

  spec(orgId: string, reference: string, labels: DispatchedCall["spoke"] = null): OperationSpec | undefined {
    const id = this.#localId(reference);
    return id === null ? this.#pool.spec(orgId, reference, labels) : this.#registry.getSpec(id);
  }

  versions(orgId: string, reference: string): readonly string[] {
    const { id } = parseOperationReference(reference);
    const spec = this.spec(orgId, id);
    const others = this.#pool.versions?.(orgId, id) ?? [];
    return spec === undefined || others.includes(spec.version) ? others : [spec.version, ...others];
  }

  list(orgId: string): readonly OperationSpec[] {
    const local = this.#registry.list().filter(({ namespace, name }) =>
      this.#registry.getHandler(`${namespace}.${name}`)
    );
    const remote = this.#pool.specs(orgId).filter(({ namespace, name }) =>
      this.#registry.getHandler(`${namespace}.${name}`) === undefined
    );
    return [...local, ...remote];
  }

  /** The id of the local operation that is meant, which may be pinned to the version that it has. Null: it is none of them. */
  #localId(reference: string): string | null {
    if (this.#registry.getHandler(reference) !== undefined) return reference;
    if (!reference.includes("@")) return null;
    const { id, version } = parseOperationReference(reference);
    return this.#registry.getHandler(id) !== undefined && this.#registry.getSpec(id)?.version === version ? id : null;
  }

  #dispatchRemote(call: DispatchedCall): Promise<ResponseEnvelope> {
    const { operationId, orgId } = call;
    const spec = this.#pool.spec(orgId, operationId, call.spoke);
    if (spec === undefined) throw this.#notFound(call);
    this.#check(call, spec);
    if (spec.type === OperationType.SUBSCRIPTION) {
      throw new CallError(
        "EXECUTION_ERROR",
        `Cannot execute operation "${operationId}" as it is a subscription: stream it instead`,
        { operationId },
      );
    }
    return this.#pool.call(call, spec);
  }

  #check({ operationId, identity, input }: DispatchedCall, spec: OperationSpec): void {
    enforceAccess(spec.accessControl, identity, operationId);
    validateOrThrow(spec.inputSchema, input, `Input of operation "${operationId}"`);
  }

  #notFound({ operationId, orgId }: DispatchedCall): CallError {
    const { id, version } = parseOperationReference(operationId);
    const served = version === null ? undefined : this.spec(orgId, id)?.version;
    const why = served === undefined
      ? "it is not one of the hub's, and no connected spoke offers it"
      : `nobody offers this version; the one that is served is ${served}`;
    return new CallError("OPERATION_NOT_FOUND", `Operation "${operationId}" is not known: ${why}`, { operationId });
  }

  #toCallError({ operationId, orgId }: DispatchedCall, error: unknown): CallError {
    return error instanceof CallError ? error : mapError(error, this.spec(orgId, operationId)?.errorSchemas);
  }
}

/** Calls from the edges: the same way as those of runs, with a deadline of their own. */
class DirectOperations implements Operations {
  readonly #router: OperationRouter;
  readonly #clock: Clock;
  readonly #timeoutMs: number;

  constructor(router: OperationRouter, clock: Clock, timeoutMs: number) {
    this.#router = router;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  list({ identity, orgId }: Caller): readonly OperationSpec[] {
    return this.#router.list(orgId).filter(({ accessControl }) => isOpenTo(accessControl, identity));
  }

  spec({ identity, orgId }: Caller, operationId: string): OperationSpec | undefined {
    const spec = this.#router.spec(orgId, operationId);
    return spec !== undefined && isOpenTo(spec.accessControl, identity) ? spec : undefined;
  }

  versions(caller: Caller, reference: string): readonly string[] {
    return this.spec(caller, reference) === undefined ? [] : this.#router.versions(caller.orgId, reference);
  }

  async call(params: DirectCallParams): Promise<ResponseEnvelope> {
    // A call made by another one has as much time as that has: its signal ends both.
    using call = new DirectCall(params, this.#clock, params.parentRequestId === undefined ? this.#timeoutMs : Infinity);
    if (call.signal.aborted) return await call.aborted;
    return await Promise.race([this.#router.dispatch(call), call.aborted]);
  }

  async *stream(params: DirectCallParams): AsyncGenerator<ResponseEnvelope, void, undefined> {
    // A subscription lasts as long as it is read.
    using call = new DirectCall(params, this.#clock, Infinity);
    if (call.signal.aborted) return await call.aborted;
    const chunks = this.#router.stream(call)[Symbol.asyncIterator]();
    try {
      while (true) {
        const step = await Promise.race([chunks.next(), call.aborted]);
        if (step.done) return;
        yield step.value;
      }
    } catch (error) {
      throw mapError(error, this.#router.spec(call.orgId, call.operationId)?.errorSchemas);
    } finally {
      call.leave();
      // Not waited for: a generator that is asleep answers only when it wakes.
      chunks.return?.().catch(() => {});
    }
  }
}

function isOpenTo(access: OperationSpec["accessControl"], identity: Caller["identity"]): boolean {
  return !hasRequirements(access) || checkAccess(access, identity);
}
