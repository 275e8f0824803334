import {
  CallError,
  hasScopeFor,
  hasScopeForSome,
  OperationType,
  type ResponseEnvelope,
  unpinnedId,
} from "@alkdev/operations";
import type { Clock } from "../../engine/ports.ts";
import { type Envelope, envelope } from "./envelope.ts";
import type { HubCalls, RunEventsPort, SpokePrincipal } from "./ports.ts";

/** What a peer may have running at once. */
const MAX_INBOUND = 1_000;

export interface InboundCallsOptions {
  readonly clock: Clock;
  readonly principal: SpokePrincipal;
  readonly calls: HubCalls;
  readonly runEvents: RunEventsPort | undefined;
  /** @throws {CallError} `PAYLOAD_TOO_LARGE` */
  readonly write: (message: Envelope) => void;
  /** Never throws. */
  readonly fail: (requestId: string, error: CallError) => void;
}

/** A decoded `call.requested` of a peer. Its `identity` is the socket's, whatever the peer wrote. */
export interface InboundCall {
  readonly requestId: string;
  readonly operationId: string;
  readonly input: unknown;
  readonly deadline: number | null;
}

/** Calls and subscriptions that a peer makes on the hub, until they end or its socket closes. */
export class InboundCalls {
  readonly #options: InboundCallsOptions;
  readonly #running = new Map<string, AbortController>();

  constructor(options: InboundCallsOptions) {
    this.#options = options;
  }

  /** Answers in time, with one outcome; a call aborted by the peer is not answered. */
  start(call: InboundCall): void {
    const { requestId } = call;
    if (this.#running.has(requestId)) {
      return this.#fail(requestId, new CallError("VALIDATION_ERROR", `Call "${requestId}" is already running`));
    }
    if (this.#running.size >= MAX_INBOUND) {
      return this.#fail(
        requestId,
        new CallError("OVERLOADED", `This socket has ${MAX_INBOUND} calls running: wanted fewer`),
      );
    }
    const controller = new AbortController();
    this.#running.set(requestId, controller);
    this.#run(call, controller).finally(() => this.#running.delete(requestId));
  }

  /** False: no such call. */
  abort(requestId: string): boolean {
    const controller = this.#running.get(requestId);
    controller?.abort(new CallError("ABORTED", "Call was aborted by its caller"));
    return controller !== undefined;
  }

  close(): void {
    for (const requestId of [...this.#running.keys()]) this.abort(requestId);
  }

  async #run(call: InboundCall, controller: AbortController): Promise<void> {
    const { requestId, deadline } = call;
    const { signal } = controller;
    let timedOut: CallError | null = null;
    const cancel = deadline === null ? undefined : this.#options.clock.at(deadline, () => {
      timedOut = new CallError("TIMEOUT", `Call "${requestId}" passed its deadline`, { deadline });
      controller.abort(timedOut);
    });
    try {
      await this.#answer(call, signal);
    } catch (error) {
      if (timedOut !== null) this.#fail(requestId, timedOut);
      else if (!signal.aborted) {
        const failure = toCallError(error);
        noteRefusal(this.#options, call.operationId, failure);
        this.#fail(requestId, failure);
      }
    } finally {
      cancel?.();
    }
  }

  async #answer({ requestId, operationId, input }: InboundCall, signal: AbortSignal): Promise<void> {
    const { calls, principal, write } = this.#options;
    const { identity, orgId, keyId } = principal;
    const caller = { identity, orgId, keyId };
    if (principal.limits !== undefined) await calls.admit?.(principal);
    const scope = scopeFor(operationId);
    // Which runs' events they are is looked at where these are read.
    const isHeld = operationId === "hub.runEvents" ? hasScopeForSome : hasScopeFor;
    if (scope !== null && !isHeld(identity.scopes, scope, unpinnedId(operationId))) {
      throw new CallError(
        "ACCESS_DENIED",
        `Cannot call "${operationId}" as "${identity.id}": wanted scope "${scope}"`,
        {
          requiredScopes: [scope],
        },
      );
    }
    if (operationId === "hub.runEvents") return await this.#watch(requestId, input, signal);
    if (calls.spec(caller, operationId)?.type !== OperationType.SUBSCRIPTION) {
      const output = await calls.call({ caller, operationId, input, signal });
      if (!signal.aborted) write(envelope("call.responded", { requestId, output }));
      return;
    }
    await this.#forward(requestId, calls.stream({ caller, operationId, input, signal }), signal);
  }

  async #watch(requestId: string, input: unknown, signal: AbortSignal): Promise<void> {
    const { runEvents, principal: { identity, orgId } } = this.#options;
    if (runEvents === undefined) {
      throw new CallError("OPERATION_NOT_FOUND", 'Operation "hub.runEvents" is not served here');
    }
    const { runId, after } = decodeWatch(input);
    const events = runEvents.watch({
      caller: { identity, orgId },
      runId,
      signal,
      ...(after === null ? {} : { after }),
    });
    await this.#forward(requestId, inEnvelopes(events), signal);
  }

  async #forward(requestId: string, outputs: AsyncIterable<ResponseEnvelope>, signal: AbortSignal): Promise<void> {
    const { write } = this.#options;
    for await (const output of outputs) {
      if (signal.aborted) return;
      write(envelope("call.responded", { requestId, output }));
    }
    if (!signal.aborted) write(envelope("call.completed", { requestId }));
  }

  #fail(requestId: string, error: CallError): void {
    this.#options.fail(requestId, error);
  }
}

/** What a key needs to use the socket for this, beside what the operation itself asks. Null: that is all. */
function scopeFor(operationId: string): string | null {
  if (operationId === "hub.runEvents") return "run:read";
  return operationId.startsWith("hub.") ? null : "operation:call";
}

async function* inEnvelopes(events: AsyncIterable<unknown>): AsyncGenerator<ResponseEnvelope, void, undefined> {
  for await (const data of events) {
    yield { data, meta: { source: "local", operationId: "hub.runEvents", timestamp: Date.now() } };
  }
}

function decodeWatch(input: unknown): { readonly runId: string; readonly after: number | null } {
  if (typeof input === "object" && input !== null && "runId" in input && typeof input.runId === "string") {
    const after = "after" in input ? input.after : undefined;
    if (after === undefined) return { runId: input.runId, after: null };
    if (typeof after === "number" && Number.isInteger(after) && after >= 0) return { runId: input.runId, after };
  }
  throw new CallError(
    "VALIDATION_ERROR",
    'Input of "hub.runEvents" is not valid: wanted {runId: string, after?: integer}',
  );
}

/** Tells whoever writes refusals down, where this is one. */
export function noteRefusal(
  { calls, principal }: Pick<InboundCallsOptions, "calls" | "principal">,
  operationId: string,
  { code }: CallError,
): void {
  if (code === "ACCESS_DENIED") calls.refused?.({ principal, operationId, code });
}

/** A surprise says that there was one, never what it was. */
function toCallError(error: unknown): CallError {
  return error instanceof CallError ? error : new CallError("EXECUTION_ERROR", "The hub could not carry out this call");
}
