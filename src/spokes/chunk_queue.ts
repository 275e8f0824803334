import { CallError, type ResponseEnvelope } from "@alkdev/operations";
import type { CallSink } from "./ports.ts";

/** Chunks that may wait for their reader, and chars of them where these are known. */
const MAX_WAITING = 10_000;
const MAX_WAITING_CHARS = 64 * 1024 * 1024;

/** A remote subscription's chunks, in order, for one reader. */
export class ChunkQueue implements CallSink, AsyncIterableIterator<ResponseEnvelope, undefined> {
  #chunks: { readonly output: ResponseEnvelope; readonly chars: number }[] = [];
  #chars = 0;
  #end: { readonly error: CallError | null } | null = null;
  #wake: (() => void) | null = null;
  readonly #onLeave: () => void;

  /** @param onLeave called when the reader stops before the end */
  constructor(onLeave: () => void) {
    this.#onLeave = onLeave;
  }

  respond(output: ResponseEnvelope, chars = 0): void {
    if (this.#end !== null) return;
    if (this.#chunks.length >= MAX_WAITING || this.#chars + chars > MAX_WAITING_CHARS) {
      const held = `${this.#chunks.length} chunks (${Math.ceil(this.#chars / 1024)} KiB)`;
      this.fail(new CallError("OVERLOADED", `Subscription has ${held} that nobody has read`));
      return this.#onLeave();
    }
    this.#chars += chars;
    this.#chunks.push({ output, chars });
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
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#chars -= chunk.chars;
        return { value: chunk.output, done: false };
      }
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
