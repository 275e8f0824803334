import type { CallError, ResponseEnvelope } from "@alkdev/operations";
import type { CallSink } from "./ports.ts";

/** Settles the promise of a call. */
export class AnswerSink implements CallSink {
  readonly #resolve: (output: ResponseEnvelope) => void;
  readonly #reject: (error: CallError) => void;

  constructor(resolve: (output: ResponseEnvelope) => void, reject: (error: CallError) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  respond(output: ResponseEnvelope): void {
    this.#resolve(output);
  }

  /** The router fails what is completed without an answer. */
  complete(): void {}

  fail(error: CallError): void {
    this.#reject(error);
  }
}
