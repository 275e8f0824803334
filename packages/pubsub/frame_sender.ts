import { CONNECTING, OPEN, type WebSocketLike } from "./web_socket_like.ts";

/** A text message must not grow without end because much is said in one turn. */
const MAX_BATCH = 256;

/**
 * Sends envelopes, already JSON, over one socket, in order. What is said before the socket is open waits; what is said
 * after it has closed is lost, as on any socket.
 */
export class FrameSender {
  /** Whether envelopes of one turn travel as one array. Only once the other side has said that it reads arrays. */
  batch: boolean;
  readonly #socket: WebSocketLike;
  #waiting: string[] = [];
  #flushing = false;

  constructor(socket: WebSocketLike, batch: boolean) {
    this.#socket = socket;
    this.batch = batch;
    if (socket.readyState === CONNECTING) socket.addEventListener("open", () => this.#flush());
  }

  send(json: string): void {
    const { readyState } = this.#socket;
    if (readyState === OPEN && !this.batch && this.#waiting.length === 0) return this.#socket.send(json);
    if (readyState !== OPEN && readyState !== CONNECTING) return;
    this.#waiting.push(json);
    if (readyState === CONNECTING || this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    if (this.#socket.readyState !== OPEN) return;
    if (!this.batch) return waiting.forEach((json) => this.#socket.send(json));
    for (let start = 0; start < waiting.length; start += MAX_BATCH) {
      const part = waiting.slice(start, start + MAX_BATCH);
      this.#socket.send(part.length === 1 && part[0] !== undefined ? part[0] : `[${part.join(",")}]`);
    }
  }
}
