import { CallError, isResponseEnvelope, type ResponseEnvelope } from "@alkdev/operations";
import { type Envelope, envelope, fitsIn, isRecord } from "./envelope.ts";

/** What a hub takes in one message by default. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

/** How a call on the hub is made. */
export interface HubCallOptions {
  /** Ms since the epoch. */
  readonly deadline?: number;
  readonly signal?: AbortSignal;
}

interface Waiting {
  respond(output: ResponseEnvelope): void;
  complete(): void;
  fail(error: CallError): void;
}

/** Calls that this side makes on the hub, over one socket. */
export class HubCalls {
  readonly #write: (message: Envelope) => void;
  readonly #waiting = new Map<string, Waiting>();

  constructor(write: (message: Envelope) => void) {
    this.#write = write;
  }

  /** Rejects with the hub's {@linkcode CallError}. */
  call(operationId: string, input: unknown, options: HubCallOptions = {}): Promise<ResponseEnvelope> {
    return new Promise((resolve, reject) => {
      const stop = this.#start(operationId, input, options, {
        respond: (output) => {
          stop();
          resolve(output);
        },
        complete: () => reject(new CallError("ABORTED", `Call of "${operationId}" was completed without a response`)),
        fail: reject,
      });
    });
  }

  /** A subscription. Ending the iteration early aborts it at the hub. */
  async *subscribe(
    operationId: string,
    input: unknown,
    options: HubCallOptions = {},
  ): AsyncGenerator<ResponseEnvelope, void, undefined> {
    const outputs: ResponseEnvelope[] = [];
    let end: { readonly error: CallError | null } | null = null;
    let wake = () => {};
    const finish = (error: CallError | null) => {
      end ??= { error };
      wake();
    };
    const leave = this.#start(operationId, input, options, {
      respond: (output) => {
        outputs.push(output);
        wake();
      },
      complete: () => finish(null),
      fail: finish,
    });
    try {
      while (true) {
        const output = outputs.shift();
        if (output !== undefined) {
          yield output;
          continue;
        }
        const ended = ((): { readonly error: CallError | null } | null => end)();
        if (ended?.error) throw ended.error;
        if (ended !== null) return;
        await new Promise<void>((resolve) => wake = resolve);
      }
    } finally {
      leave(true);
    }
  }

  /** False: an answer to nothing that was asked here. */
  receive({ type, payload }: Envelope): boolean {
    const { requestId } = payload;
    const waiting = typeof requestId === "string" ? this.#waiting.get(requestId) : undefined;
    if (waiting === undefined || typeof requestId !== "string") return false;
    if (type === "call.responded") {
      const { output: value } = payload;
      const output = isRecord(value) && !("data" in value) ? { ...value, data: undefined } : value;
      if (isResponseEnvelope(output)) waiting.respond(output);
      else waiting.fail(new CallError("EXECUTION_ERROR", "The hub's answer is not an envelope"));
      return true;
    }
    this.#waiting.delete(requestId);
    if (type === "call.completed") waiting.complete();
    else if (type === "call.error") waiting.fail(toCallError(payload));
    else waiting.fail(new CallError("ABORTED", "The hub aborted this call"));
    return true;
  }

  /** The socket is gone: nothing of this will be answered. */
  close(): void {
    const error = new CallError("CONNECTION_LOST", "The connection to the hub was lost before the answer came");
    for (const waiting of this.#waiting.values()) waiting.fail(error);
    this.#waiting.clear();
  }

  /** Returns what ends it; `true` tells the hub, if it has not ended there. */
  #start(
    operationId: string,
    input: unknown,
    { deadline, signal }: HubCallOptions,
    waiting: Waiting,
  ): (abort?: boolean) => void {
    const requestId = crypto.randomUUID();
    const request = envelope("call.requested", {
      requestId,
      operationId,
      input,
      ...(deadline === undefined ? {} : { deadline }),
    });
    if (!fitsIn(JSON.stringify(request), MAX_REQUEST_BYTES)) {
      waiting.fail(new CallError("PAYLOAD_TOO_LARGE", `Input of "${operationId}" passes ${MAX_REQUEST_BYTES} bytes`));
      return () => {};
    }
    if (signal?.aborted) {
      waiting.fail(new CallError("ABORTED", `Call of "${operationId}" was aborted`));
      return () => {};
    }
    const onAbort = () => {
      waiting.fail(new CallError("ABORTED", `Call of "${operationId}" was aborted`));
      stop(true);
    };
    const stop = (abort = false) => {
      signal?.removeEventListener("abort", onAbort);
      if (this.#waiting.delete(requestId) && abort) this.#write(envelope("call.aborted", { requestId }));
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#waiting.set(requestId, waiting);
    this.#write(request);
    return stop;
  }
}

function toCallError({ code, message, details }: Readonly<Record<string, unknown>>): CallError {
  return new CallError(
    typeof code === "string" ? code : "UNKNOWN_ERROR",
    typeof message === "string" ? message : "The hub gave no message",
    details,
  );
}
