import { CallError } from "@alkdev/operations";
import { type Envelope, exceeds } from "./envelope.ts";
import type { SpokeSocket } from "./ports.ts";

export interface FrameWriterOptions {
  readonly socket: SpokeSocket;
  readonly maxFrameBytes: number;
  /** Runs its callback at the end of the current turn. */
  readonly afterTurn: (callback: () => void) => void;
  /** The peer does not read as fast as it is written to. */
  readonly onBackpressure: () => void;
}

/** Bytes that may wait in a socket before its peer counts as stuck. */
const MAX_BUFFERED = 64 * 1024 * 1024;

/** Writes envelopes to a socket; with `batch`, those of one turn share a message. Order is kept. */
export class FrameWriter {
  /** Set once both sides have agreed. */
  batch = false;
  readonly #options: FrameWriterOptions;
  #pending: string[] = [];
  #pendingChars = 0;
  #owed = false;
  #closed = false;

  constructor(options: FrameWriterOptions) {
    this.#options = options;
  }

  /** @throws {CallError} `PAYLOAD_TOO_LARGE` when the envelope alone passes the frame limit: nothing was written */
  write(message: Envelope): void {
    if (!this.#closed) this.writeText(JSON.stringify(message), message.type);
  }

  /**
   * Writes an envelope of this type that is JSON already.
   *
   * @throws {CallError} as {@linkcode write}
   */
  writeText(text: string, type: string): void {
    if (this.#closed) return;
    const { maxFrameBytes, afterTurn } = this.#options;
    // Two brackets of a batch are counted with it.
    if (exceeds(text, maxFrameBytes - 2)) {
      throw new CallError(
        "PAYLOAD_TOO_LARGE",
        `Message "${type}" passes the frame limit of ${maxFrameBytes} bytes`,
        {
          maxFrameBytes,
        },
      );
    }
    if (!this.batch) return this.#send(text);
    // Chars times three bounds bytes: a message that is surely small enough.
    if (this.#pending.length > 0 && (this.#pendingChars + text.length + 3) * 3 > maxFrameBytes) this.flush();
    this.#pending.push(text);
    this.#pendingChars += text.length + 1;
    if (this.#pending.length === 1) afterTurn(() => this.flush());
  }

  flush(): void {
    if (this.#pending.length === 0) return;
    const pending = this.#pending;
    this.#pending = [];
    this.#pendingChars = 0;
    const [only] = pending;
    this.#send(pending.length === 1 && only !== undefined ? only : `[${pending.join(",")}]`);
  }

  /**
   * Sends an empty array at the end of this turn if nothing else is sent by then. A peer whose TCP stack holds back small
   * writes until the last one is acknowledged (Nagle; Deno's own WebSocket does) would wait 40 ms for the delayed ACK.
   */
  acknowledge(): void {
    if (this.#owed) return;
    this.#owed = true;
    this.#options.afterTurn(() => {
      this.flush();
      if (this.#owed) this.#send("[]");
    });
  }

  close(): void {
    this.#closed = true;
    this.#pending = [];
  }

  #send(text: string): void {
    if (this.#closed) return;
    this.#owed = false;
    const { socket, onBackpressure } = this.#options;
    try {
      socket.send(text);
    } catch {
      // Closing or closed: its close event says so, and what is in flight is handled there.
      return;
    }
    if (socket.bufferedAmount > MAX_BUFFERED) onBackpressure();
  }
}
