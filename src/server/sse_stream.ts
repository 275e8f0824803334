import { SSE_HEARTBEAT } from "./sse_frame.ts";

/** What a stream of events is made of. */
export interface SseSource<T> {
  /** Pulled one at a time, as fast as the client reads: a slow client holds nothing in memory here. */
  readonly items: AsyncIterator<T>;
  /** The frame of an item. */
  readonly frame: (item: T) => string;
  /** The frame that ends a stream that failed; null: none. */
  readonly onError: (error: unknown) => string | null;
  /** The frame after the last item; null: none. */
  readonly end: string | null;
  /** Stops whatever feeds `items`. Called once, when the stream is over for any reason. */
  readonly stop: () => void;
  readonly heartbeatMs: number;
  /** Ends the stream when it aborts. */
  readonly closing: AbortSignal | undefined;
  /** Told when the stream begins and when it is over. */
  readonly onOpen?: ((isOpen: boolean) => void) | undefined;
}

/** The body of an event stream. */
export function sseStream<T>(source: SseSource<T>): ReadableStream<Uint8Array> {
  const stream = new EventStream(source);
  return new ReadableStream<Uint8Array>({
    start: (controller) => stream.start(controller),
    pull: (controller) => stream.pull(controller),
    cancel: () => stream.finish(),
  });
}

class EventStream<T> {
  readonly #source: SseSource<T>;
  readonly #encoder = new TextEncoder();
  #over = false;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  #onClosing: (() => void) | undefined;

  constructor(source: SseSource<T>) {
    this.#source = source;
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    // At once, so that the client sees the response's head before the first event.
    controller.enqueue(this.#encoder.encode(": open\n\n"));
    this.#source.onOpen?.(true);
    this.#heartbeat = setInterval(() => {
      if (!this.#over && (controller.desiredSize ?? 0) > 0) controller.enqueue(this.#encoder.encode(SSE_HEARTBEAT));
    }, this.#source.heartbeatMs);
    this.#onClosing = () => this.#close(controller, null);
    if (this.#source.closing?.aborted === true) this.#onClosing();
    else this.#source.closing?.addEventListener("abort", this.#onClosing, { once: true });
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    if (this.#over) return;
    try {
      const next = await this.#source.items.next();
      if (this.#over) return;
      if (next.done === true) this.#close(controller, this.#source.end);
      else controller.enqueue(this.#encoder.encode(this.#source.frame(next.value)));
    } catch (error) {
      if (!this.#over) this.#close(controller, this.#source.onError(error));
    }
  }

  finish(): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#heartbeat);
    this.#source.onOpen?.(false);
    if (this.#onClosing !== undefined) this.#source.closing?.removeEventListener("abort", this.#onClosing);
    this.#source.stop();
    // An iterator that is waiting answers only when what feeds it stops; nobody waits for that here.
    void Promise.resolve(this.#source.items.return?.()).catch(() => {});
  }

  #close(controller: ReadableStreamDefaultController<Uint8Array>, frame: string | null): void {
    if (this.#over) return;
    if (frame !== null) controller.enqueue(this.#encoder.encode(frame));
    this.finish();
    controller.close();
  }
}
