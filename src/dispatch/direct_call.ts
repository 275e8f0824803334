import type { Json } from "@alkdev/flowgraph";
import { CallError, type Identity } from "@alkdev/operations";
import type { Clock, DispatchedCall } from "../../engine/ports.ts";
import type { CallOrigin, DirectCallParams } from "./ports.ts";

/** A call outside any run, with its own deadline. `dispose` it when it has ended. */
export class DirectCall implements DispatchedCall, Disposable {
  readonly requestId: string = crypto.randomUUID();
  readonly operationId: string;
  readonly input: Json;
  readonly identity: Identity;
  readonly orgId: string;
  readonly keyId: string | undefined;
  readonly runId = "";
  readonly nodeKey = "";
  readonly attempt = 1;
  readonly parentRequestId: string;
  readonly deadline: number | null;
  readonly spoke: Readonly<Record<string, string>> | null;
  /** The call of a run on behalf of which it is made; null: it is for nobody's. */
  readonly origin: CallOrigin | null;
  readonly signal: AbortSignal;
  /** Rejects when the signal aborts, with its reason. */
  readonly aborted: Promise<never>;
  readonly #stop: (error: CallError) => void;
  readonly #cleanup: () => void;

  /** @param timeoutMs `Infinity` for none */
  constructor(params: DirectCallParams, clock: Clock, timeoutMs: number) {
    const { caller, operationId, input, signal, parentRequestId } = params;
    this.operationId = operationId;
    // What comes in through an edge has been JSON, and what a handler passes on must be.
    this.input = input as Json;
    this.identity = caller.identity;
    this.orgId = caller.orgId;
    this.keyId = caller.keyId;
    this.parentRequestId = parentRequestId ?? "";
    this.spoke = params.spoke ?? null;
    this.origin = params.origin ?? null;
    const deadline = timeoutMs === Infinity ? null : clock.now() + timeoutMs;
    this.deadline = deadline;
    const controller = new AbortController();
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {});
    const stop = (error: CallError): void => {
      controller.abort(error);
      reject(error);
    };
    const onAbort = (): void => stop(abortError(signal, operationId));
    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    const cancel = deadline === null ? undefined : clock.at(deadline, () => {
      stop(new CallError("TIMEOUT", `Operation "${operationId}" did not answer within ${timeoutMs} ms`, { deadline }));
    });
    this.signal = controller.signal;
    this.aborted = promise;
    this.#stop = stop;
    this.#cleanup = () => {
      signal?.removeEventListener("abort", onAbort);
      cancel?.();
    };
  }

  /** Ends what the handler may still be doing: nobody listens any more. */
  leave(): void {
    this.#stop(new CallError("ABORTED", `Nobody reads operation "${this.operationId}" any more`));
  }

  [Symbol.dispose](): void {
    this.#cleanup();
  }
}

function abortError(signal: AbortSignal | undefined, operationId: string): CallError {
  if (signal?.reason instanceof CallError) return signal.reason;
  return new CallError("ABORTED", `Call of operation "${operationId}" was aborted by its caller`);
}
