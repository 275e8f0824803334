import type { Envelope } from "./envelope.ts";
import type { SocketLike, SpokeClock } from "./spoke_options.ts";

/** Chars of one array; the hub's limit on messages is 4 MiB, and a char has at most 3 bytes. */
const MAX_BATCH_CHARS = 1024 * 1024;

/** Chars and bytes that may wait to leave before streams wait with them. */
const MAX_WAITING = 1024 * 1024;

/** A message that surely has at most 1,024 bytes: a larger one is written as a header and a payload by Deno's WebSocket. */
const MAX_WHOLE_CHARS = 340;

/** Writes to one socket; once batches are agreed, what is written in one turn shares a message. */
export class Outbox {
  batch = false;
  /**
   * The socket has Nagle's algorithm on, and the hub answers each message at once. A large message is led by an empty array:
   * its answer releases header and payload together, where a lone header would wait 40 ms for its delayed ACK.
   */
  acks = false;
  readonly #socket: SocketLike;
  readonly #clock: SpokeClock;
  #pending: string[] = [];
  #chars = 0;
  #closed = false;

  constructor(socket: SocketLike, clock: SpokeClock) {
    this.#socket = socket;
    this.#clock = clock;
  }

  /** More waits to leave than a stream should add to. */
  get isFull(): boolean {
    return !this.#closed && this.#chars + (this.#socket.bufferedAmount ?? 0) > MAX_WAITING;
  }

  /** `text` is an envelope as JSON. */
  writeText(text: string): void {
    if (this.#closed) return;
    if (!this.batch) return this.#send(text);
    if (this.#chars + text.length > MAX_BATCH_CHARS) this.flush();
    this.#pending.push(text);
    this.#chars += text.length;
    if (this.#pending.length === 1) this.#clock.afterTurn(() => this.flush());
  }

  write(message: Envelope): void {
    this.writeText(JSON.stringify(message));
  }

  flush(): void {
    const [only, ...more] = this.#pending;
    if (only === undefined) return;
    this.#send(more.length === 0 ? only : `[${this.#pending.join(",")}]`);
    this.#pending = [];
    this.#chars = 0;
  }

  close(): void {
    this.#closed = true;
  }

  #send(text: string): void {
    try {
      if (this.#closed) return;
      if (this.acks && text.length > MAX_WHOLE_CHARS) this.#socket.send("[]");
      this.#socket.send(text);
    } catch {
      // The socket is closing: what was said is asked for again on the next one.
    }
  }
}
