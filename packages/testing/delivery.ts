import type { DispatchedCall } from "@alkdev/engine";
import { type Duration, type Json, parseDuration } from "@alkdev/flowgraph";
import { CallError, type Identity, type LogLevel, type OperationContext } from "@alkdev/operations";
import type { MockCall } from "./mock.ts";

/** Time as a delivery needs it. */
export interface DeliveryClock {
  now(): number;
  /** Returns the cancellation. */
  at(due: number, callback: () => void): () => void;
}

/** One delivery of a call: what a mock is told, and the context of an operation's own handler. */
export class Delivery implements MockCall, OperationContext {
  readonly operationId: string;
  readonly nodeKey: string;
  readonly attempt: number;
  readonly requestId: string;
  readonly runId: string;
  readonly input: Json;
  readonly identity: Identity;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly deadlineMs?: number;
  /** Waits for virtual time, or for ever: nothing will come of real time. */
  parked = 0;
  /** Lines that the handler logged. */
  readonly lines: { readonly level: LogLevel; readonly message: string; readonly data?: unknown }[] = [];
  readonly #call: DispatchedCall;
  readonly #clock: DeliveryClock;

  constructor(call: DispatchedCall, clock: DeliveryClock) {
    const { operationId, nodeKey, attempt, requestId, runId, input, identity, deadline } = call;
    this.operationId = operationId;
    this.nodeKey = nodeKey;
    this.attempt = attempt;
    this.requestId = requestId;
    this.runId = runId;
    this.input = input;
    this.identity = identity;
    this.metadata = { runId, nodeKey, attempt };
    if (deadline !== null) this.deadlineMs = deadline;
    this.#call = call;
    this.#clock = clock;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  now(): number {
    return this.#clock.now();
  }

  sleep(duration: Duration): Promise<void> {
    const ms = duration === Infinity ? Infinity : parseDuration(duration);
    if (ms === null) throw new TypeError(`Cannot sleep "${duration}": want milliseconds or a duration such as "30s"`);
    const { signal } = this;
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.parked--;
        signal.removeEventListener("abort", aborted);
      };
      const aborted = (): void => {
        cancel();
        end();
        reject(signal.reason instanceof CallError ? signal.reason : new CallError("ABORTED", "The call was aborted"));
      };
      this.parked++;
      const cancel = ms === Infinity ? () => {} : this.#clock.at(this.#clock.now() + ms, () => {
        end();
        resolve();
      });
      if (signal.aborted) aborted();
      else signal.addEventListener("abort", aborted, { once: true });
    });
  }

  progress(_value: unknown): void {}

  log(level: LogLevel, message: string, data?: unknown): void {
    this.lines.push({ level, message, ...(data !== undefined && { data }) });
  }
}
