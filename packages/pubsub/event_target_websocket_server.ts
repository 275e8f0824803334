/** Many WebSockets as one event target. @module */
import { type EventEnvelope, isReservedType } from "./event_envelope.ts";
import { controlTopic, parseFrame, SUBSCRIBE, UNSUBSCRIBE } from "./frames.ts";
import { TopicListeners } from "./topic_listeners.ts";
import type { EnvelopeEvent, EnvelopeListener, TypedEventTarget } from "./typed_event_target.ts";
import { OPEN, type WebSocketLike } from "./web_socket_like.ts";

export type { WebSocketLike } from "./web_socket_like.ts";

export interface WebSocketServerOptions<TSocket extends WebSocketLike = WebSocketLike> {
  /** Bytes that may wait for a connection before it is cut off. Default: 1 MiB. */
  readonly maxBufferedAmount?: number;
  /** Told about a connection that is being cut off because it reads too slowly. */
  readonly onBackpressure?: (socket: TSocket, bufferedAmount: number) => void;
  readonly onConnection?: (socket: TSocket) => void;
  readonly onDisconnection?: (socket: TSocket) => void;
  /** Whether a connection may hear a topic. Default: every one. */
  readonly canSubscribe?: (socket: TSocket, topic: string) => boolean;
  /** Told about messages that are no envelopes; they are dropped. */
  readonly onInvalid?: (socket: TSocket, data: unknown) => void;
}

/** What {@linkcode createWebSocketServerEventTarget} makes. */
export interface WebSocketServerEventTarget<TSocket extends WebSocketLike = WebSocketLike> extends TypedEventTarget {
  /** Takes a raw socket in. It is removed by itself when it closes. */
  addConnection(socket: TSocket): void;
  /** Forgets a socket and its subscriptions; does not close it. */
  removeConnection(socket: TSocket): void;
}

const DEFAULT_MAX_BUFFERED_AMOUNT = 1024 * 1024;
/** WebSocket close code "try again later". */
const TRY_AGAIN_LATER = 1013;

/**
 * Sends an event to the connections that have subscribed to its topic, and delivers to local listeners what arrives on any
 * of them. What is dispatched here is not heard here. To reach one client, publish on a topic that it alone subscribes to,
 * by convention `direct:<client id>`; `canSubscribe` keeps others off it.
 */
export function createWebSocketServerEventTarget<TSocket extends WebSocketLike = WebSocketLike>(
  options: WebSocketServerOptions<TSocket> = {},
): WebSocketServerEventTarget<TSocket> {
  return new ServerEventTarget(options);
}

/** `#subscribers` is the inverse of `#connections`: a socket is in a topic's set exactly when the topic is in its own. */
class ServerEventTarget<TSocket extends WebSocketLike> implements WebSocketServerEventTarget<TSocket> {
  readonly #options: WebSocketServerOptions<TSocket>;
  readonly #maxBufferedAmount: number;
  readonly #listeners = new TopicListeners();
  readonly #connections = new Map<TSocket, Set<string>>();
  readonly #subscribers = new Map<string, Set<TSocket>>();

  constructor(options: WebSocketServerOptions<TSocket>) {
    this.#options = options;
    this.#maxBufferedAmount = options.maxBufferedAmount ?? DEFAULT_MAX_BUFFERED_AMOUNT;
  }

  addConnection(socket: TSocket): void {
    if (this.#connections.has(socket)) return;
    this.#connections.set(socket, new Set());
    socket.addEventListener("message", ({ data }) => this.#receive(socket, data));
    socket.addEventListener("close", () => this.removeConnection(socket));
    this.#options.onConnection?.(socket);
  }

  removeConnection(socket: TSocket): void {
    const topics = this.#connections.get(socket);
    if (topics === undefined) return;
    this.#connections.delete(socket);
    for (const topic of topics) this.#leave(socket, topic);
    this.#options.onDisconnection?.(socket);
  }

  addEventListener(topic: string, listener: EnvelopeListener | null): void {
    this.#listeners.add(topic, listener);
  }

  removeEventListener(topic: string, listener: EnvelopeListener | null): void {
    this.#listeners.remove(topic, listener);
  }

  dispatchEvent(event: EnvelopeEvent): boolean {
    const subscribers = this.#subscribers.get(event.type);
    if (subscribers === undefined) return true;
    const json = JSON.stringify(event.detail);
    for (const socket of [...subscribers]) this.#send(socket, json);
    return true;
  }

  #send(socket: TSocket, json: string): void {
    if (socket.readyState !== OPEN) return;
    const { bufferedAmount } = socket;
    if (bufferedAmount <= this.#maxBufferedAmount) return socket.send(json);
    this.#options.onBackpressure?.(socket, bufferedAmount);
    this.removeConnection(socket);
    socket.close(TRY_AGAIN_LATER, "Too slow: too much was waiting to be read");
  }

  #receive(socket: TSocket, data: unknown): void {
    // A removed connection may still have messages under way.
    const topics = this.#connections.get(socket);
    if (topics === undefined) return;
    const envelopes = parseFrame(data);
    if (envelopes === undefined) return this.#options.onInvalid?.(socket, data);
    for (const envelope of envelopes) {
      if (isReservedType(envelope.type)) this.#control(socket, topics, envelope);
      else this.#listeners.deliver(envelope);
    }
  }

  #control(socket: TSocket, topics: Set<string>, envelope: EventEnvelope): void {
    const topic = controlTopic(envelope);
    if (topic === undefined) return this.#options.onInvalid?.(socket, envelope);
    if (envelope.type === UNSUBSCRIBE) {
      if (topics.delete(topic)) this.#leave(socket, topic);
    } else if (envelope.type === SUBSCRIBE && this.#options.canSubscribe?.(socket, topic) !== false) {
      topics.add(topic);
      const subscribers = this.#subscribers.get(topic);
      if (subscribers === undefined) this.#subscribers.set(topic, new Set([socket]));
      else subscribers.add(socket);
    }
  }

  #leave(socket: TSocket, topic: string): void {
    const subscribers = this.#subscribers.get(topic);
    subscribers?.delete(socket);
    if (subscribers?.size === 0) this.#subscribers.delete(topic);
  }
}
