import { Deferred } from "./deferred.ts";
import { parseMessage } from "./envelope.ts";
import { HubCalls } from "./hub_calls.ts";
import { Outbox } from "./outbox.ts";
import type { SocketLike, SpokeClock } from "./spoke_options.ts";

/** What comes in on a connection. */
export interface HubConnectionEvents {
  open(): void;
  request(payload: Readonly<Record<string, unknown>>): void;
  abort(requestId: string): void;
  drain(): void;
  /** Once. */
  closed(error: Error): void;
}

/** One socket to the hub. */
export class HubConnection {
  readonly outbox: Outbox;
  readonly calls: HubCalls;
  isOpen = false;
  /** The hub had taken this side in. */
  wasUp = false;
  /** Ms since the epoch. */
  lastReceivedAt: number;
  /** Resolves when the socket itself has closed: everything written before has left this process. */
  readonly gone: Promise<void>;
  readonly #socket: SocketLike;
  readonly #clock: SpokeClock;
  readonly #events: HubConnectionEvents;
  #isClosed = false;

  constructor(socket: SocketLike, clock: SpokeClock, events: HubConnectionEvents) {
    this.#socket = socket;
    this.#clock = clock;
    this.#events = events;
    this.lastReceivedAt = clock.now();
    this.outbox = new Outbox(socket, clock);
    this.calls = new HubCalls((message) => this.outbox.write(message));
    const gone = new Deferred();
    this.gone = gone.promise;
    socket.addEventListener("close", () => gone.resolve());
    socket.addEventListener("open", () => {
      this.isOpen = true;
      this.lastReceivedAt = this.#clock.now();
      this.#events.open();
    });
    socket.addEventListener("message", ({ data }) => this.#receive(data));
    socket.addEventListener("close", ({ code, reason }) => this.#onClose(code, reason));
    // What went wrong is only ever said by the close event that follows; some runtimes leave that out.
    socket.addEventListener("error", () => this.#clock.after(0, () => this.#onClose(1006, "socket failed")));
  }

  close(code: number, reason: string): void {
    this.outbox.flush();
    try {
      this.#socket.close(code, reason);
    } catch {
      // Closed already, or never opened.
    }
    this.#onClose(code, reason);
  }

  #onClose(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.isOpen = false;
    this.outbox.close();
    this.calls.close();
    this.#events.closed(new Error(`Connection to the hub was closed with code ${code}: "${reason}"`));
  }

  #receive(data: unknown): void {
    if (this.#isClosed) return;
    this.lastReceivedAt = this.#clock.now();
    for (const message of parseMessage(data)) {
      const { type, payload } = message;
      if (type === "call.requested") this.#events.request(payload);
      else if (type === "hub.drain") this.#events.drain();
      else if (!this.calls.receive(message) && type === "call.aborted") {
        if (typeof payload["requestId"] === "string") this.#events.abort(payload["requestId"]);
      }
    }
  }
}
