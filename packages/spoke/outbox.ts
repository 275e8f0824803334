import type { Envelope } from "./envelope.ts";
import type { SocketLike, SpokeClock } from "./spoke_options.ts";

/** Chars of one array; the hub's limit on messages is 4 MiB, and a char has at most 3 bytes. */
const MAX_BATCH_CHARS = 1024 * 1024;

/** Writes to one socket; once batches are agreed, what is written in one turn shares a message. */
export class Outbox {
  batch = false;
  readonly #socket: SocketLike;
  readonly #clock: SpokeClock;
  #pending: string[] = [];
  #chars = 0;
  #closed = false;

  constructor(socket: SocketLike, clock: SpokeClock) {
    this.#socket = socket;
    this.#clock = clock;
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
      if (!this.#closed) this.#socket.send(text);
    } catch {
      // The socket is closing: what was said is asked for again on the next one.
    }
  }
}
