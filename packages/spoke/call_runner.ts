import { CallError, mapError, OperationRegistry, OperationType, subscribe } from "@alkdev/operations";
import { AnswerMemory } from "./answer_memory.ts";
import { envelope, fitsIn } from "./envelope.ts";
import { type HubRequest, SpokeCall, type Tell } from "./spoke_call.ts";
import type { SpokeClock, SpokeOperation } from "./spoke_options.ts";

export interface CallRunnerOptions {
  readonly operations: readonly SpokeOperation[];
  readonly clock: SpokeClock;
  /** Calls at once. */
  readonly maxConcurrency: number;
  /** Writes an envelope, given as JSON, to the hub. */
  readonly send: (text: string) => void;
  /** The hub does not take as fast as is sent. */
  readonly isFull: () => boolean;
  readonly tell: Tell;
  /** The last running call has ended. */
  readonly onIdle: () => void;
}

/** How soon a stream that waits for room looks again: a socket does not tell. */
const ROOM_MS = 5;

/**
 * Carries out what the hub asks for, through reconnects.
 *
 * A request that is running is not started again; one that was answered is answered from memory. Outcomes are sent only for
 * calls that the hub has asked for on the present connection. An aborted call is forgotten: asked for again, it runs again.
 */
export class CallRunner {
  readonly #options: CallRunnerOptions;
  readonly #registry = new OperationRegistry();
  readonly #running = new Map<string, SpokeCall>();
  readonly #answers: AnswerMemory;
  /** Of one message, as the hub said at registration. */
  maxFrameBytes: number = 4 * 1024 * 1024;

  constructor(options: CallRunnerOptions) {
    this.#options = options;
    this.#answers = new AnswerMemory(options.maxConcurrency);
    for (const operation of options.operations) this.#registry.register(withDefaults(operation));
  }

  get running(): number {
    return this.#running.size;
  }

  start(request: HubRequest): void {
    const { requestId } = request;
    const running = this.#running.get(requestId);
    if (running !== undefined) {
      running.wanted = true;
      return;
    }
    const answer = this.#answers.get(requestId);
    if (answer !== undefined) return this.#options.send(answer);
    const call = new SpokeCall(request, this.#options.tell);
    this.#running.set(requestId, call);
    this.#watchDeadline(call);
    this.#run(call).catch((error: unknown) => {
      const { code, message, details } = mapError(error, this.#registry.getSpec(request.operationId)?.errorSchemas);
      this.#settle(call, "call.error", { code, message, ...(details === undefined ? {} : { details }) });
    });
  }

  abort(requestId: string): void {
    const call = this.#running.get(requestId);
    if (call !== undefined) this.#drop(call, "The hub has aborted this call");
  }

  abortAll(message: string): void {
    for (const call of [...this.#running.values()]) this.#drop(call, message);
  }

  /** A new connection: the hub says again what it wants. Streams it has given up: which of their chunks were lost is not known. */
  disown(): void {
    for (const call of [...this.#running.values()]) {
      call.wanted = false;
      if (this.#isStream(call)) this.#drop(call, "The connection was lost, and the rest of this stream with it");
    }
  }

  /** Ends what the hub has not asked for since {@linkcode disown}. */
  abortUnwanted(): void {
    for (const call of [...this.#running.values()]) {
      if (!call.wanted) this.#drop(call, "The hub no longer waits for this call");
    }
  }

  async #run(call: SpokeCall): Promise<void> {
    const { operationId, input } = call.request;
    if (!this.#isStream(call)) {
      const output = await this.#registry.execute(operationId, input, call);
      return this.#settle(call, "call.responded", { output });
    }
    for await (const output of subscribe(this.#registry, operationId, input, call)) {
      if (call.settled) return;
      const { requestId } = call;
      const text = JSON.stringify(envelope("call.responded", { requestId, output }));
      if (!fitsIn(text, this.maxFrameBytes)) {
        throw new CallError(
          "PAYLOAD_TOO_LARGE",
          `A chunk passes the hub's limit of ${this.maxFrameBytes} bytes a message`,
        );
      }
      this.#options.send(text);
      // A handler that never waits would keep the socket from being written to, and its chunks in memory.
      while (this.#options.isFull() && !call.settled) await this.#pause();
      if (call.settled) return;
    }
    this.#settle(call, "call.completed", {});
  }

  #isStream({ request: { operationId } }: SpokeCall): boolean {
    return this.#registry.getSpec(operationId)?.type === OperationType.SUBSCRIPTION;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => void this.#options.clock.after(ROOM_MS, resolve));
  }

  #watchDeadline(call: SpokeCall): void {
    const { deadline, requestId } = call.request;
    if (deadline === undefined) return;
    const { clock } = this.#options;
    call.cancelDeadline = clock.after(deadline - clock.now(), () => {
      const error = new CallError("TIMEOUT", `Call "${requestId}" passed its deadline`, { deadline });
      const { code, message, details } = error;
      this.#settle(call, "call.error", { code, message, details });
      call.abort(error);
    });
  }

  #settle(call: SpokeCall, type: string, payload: Readonly<Record<string, unknown>>): void {
    if (call.settled) return;
    const { requestId } = call;
    const answer = this.#encode(type, requestId, payload);
    this.#answers.set(requestId, answer);
    if (call.wanted) this.#options.send(answer);
    this.#end(call);
  }

  #encode(type: string, requestId: string, payload: Readonly<Record<string, unknown>>): string {
    try {
      const text = JSON.stringify(envelope(type, { requestId, ...payload }));
      if (fitsIn(text, this.maxFrameBytes)) return text;
      const message = `The answer passes the hub's limit of ${this.maxFrameBytes} bytes a message`;
      return JSON.stringify(envelope("call.error", { requestId, code: "PAYLOAD_TOO_LARGE", message }));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const message = `The answer is not JSON: ${reason}`;
      return JSON.stringify(envelope("call.error", { requestId, code: "EXECUTION_ERROR", message }));
    }
  }

  #drop(call: SpokeCall, message: string): void {
    this.#answers.delete(call.requestId);
    this.#end(call);
    call.abort(new CallError("ABORTED", message));
  }

  #end(call: SpokeCall): void {
    call.settled = true;
    call.cancelDeadline();
    this.#running.delete(call.requestId);
    if (this.#running.size === 0) this.#options.onIdle();
  }
}

/** What the hub assumes too, where an operation says nothing. */
export function withDefaults(operation: SpokeOperation): SpokeOperation & Required<RequiredByHub> {
  return {
    ...operation,
    version: operation.version ?? "1.0.0",
    type: operation.type ?? OperationType.MUTATION,
    description: operation.description ?? "",
    inputSchema: operation.inputSchema ?? {},
    outputSchema: operation.outputSchema ?? {},
    accessControl: operation.accessControl ?? { requiredScopes: [] },
  };
}

type RequiredByHub = Pick<
  SpokeOperation,
  "version" | "type" | "description" | "inputSchema" | "outputSchema" | "accessControl"
>;
