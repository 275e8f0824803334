import { CallError, type ResponseEnvelope } from "@alkdev/operations";
import type { CallSink } from "./ports.ts";

/** Chunks that may wait for their reader. */
const MAX_WAITING = 10_000;

/** A remote subscription's chunks, in order, for one reader. */
export class ChunkQueue implements CallSink, AsyncIterableIterator<ResponseEnvelope, undefined> {
  #chunks: ResponseEnvelope[] = [];
  #end: { readonly error: CallError | null } | null = null;
  #wake: (() => void) | null = null;
  readonly #onLeave: () => void;

  /** @param onLeave called when the reader stops before the end */
  constructor(onLeave: () => void) {
    this.#onLeave = onLeave;
  }

  respond(chunk: ResponseEnvelope): void {
    if (this.#end !== null) return;
    if (this.#chunks.length >= MAX_WAITING) {
      this.fail(new CallError("OVERLOADED", `Subscription has ${MAX_WAITING} chunks that nobody has read`));
      return this.#onLeave();
    }
    this.#chunks.push(chunk);
    this.#wake?.();
  }

  complete(): void {
    this.#stop(null);
  }

  fail(error: CallError): void {
    this.#stop(error);
  }

  async next(): Promise<IteratorResult<ResponseEnvelope, undefined>> {
    while (true) {
      const value = this.#chunks.shift();
      if (value !== undefined) return { value, done: false };
      if (this.#end !== null) {
        const { error } = this.#end;
        this.#end = { error: null };
        if (error !== null) throw error;
        return { value: undefined, done: true };
      }
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = null;
    }
  }

  return(): Promise<IteratorResult<ResponseEnvelope, undefined>> {
    this.#chunks = [];
    if (this.#end === null) {
      this.#stop(null);
      this.#onLeave();
    }
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #stop(error: CallError | null): void {
    if (this.#end !== null) return;
    this.#end = { error };
    this.#wake?.();
  }
}
